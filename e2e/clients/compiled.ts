import { join } from "node:path";
import type { Chain } from "../chain.ts";
import { createChecks, must, type Print } from "./check.ts";
import { people, whereToFind } from "./people.ts";
import { NotHere, run } from "./python.ts";
import { rowsOf } from "./rows.ts";
import { startTlsFront } from "./tls-front.ts";
import { build, type Language } from "./toolchains.ts";

interface CompiledRun {
  readonly chain: Chain;
  /** Where what is fetched and built is kept. */
  readonly environments: string;
  /** For the certificate; it goes when the run ends. */
  readonly folder: string;
  readonly print: Print;
}

/** The official clients of a compiled language: one program, which tells its checks. @returns whether all held */
export function compiledClients(language: Language): (options: CompiledRun) => Promise<boolean> {
  return async ({ chain, environments, folder, print }) => {
    print(`preparing the clients in ${language} (some minutes at the first time)`);
    const certificate = await selfSigned(folder);
    const [program, ...args] = await build(language, environments, certificate);
    const front = await startTlsFront(chain.urls.gateway, folder);
    const env = {
      ...(await people(chain)),
      ...whereToFind(),
      GATEWAY_TLS_URL: front.url,
      BEDROCK_URL: chain.urls.bedrock,
      SSL_CERT_FILE: certificate,
      AWS_CA_BUNDLE: certificate,
      AWS_EC2_METADATA_DISABLED: "true",
      // AWS's clients for Go and Java heed how long they are told to wait with this only, which is to become the rule.
      AWS_NEW_RETRIES_2026: "true",
    };
    const { code } = await run(program, args, { cwd: folder, env, stdio: ["ignore", "inherit", "inherit"] });
    front.close();
    const { check, held } = createChecks(`the gateway's rows, ${language}`, print);
    await check("who left in the midst of a stream is recorded so", async () => {
      const rows = await rowsOf(chain.urls.gateway, env.ALICE_TOKEN, { outcome: "aborted" });
      const left = rows.map(({ request_id }) => request_id);
      for (const client of clientsThatLeave[language]) must(left.includes(`${language}-left-${client}`), left);
    });
    return code === 0 && held();
  };
}

const clientsThatLeave: Readonly<Record<Language, readonly string[]>> = {
  go: ["openai", "anthropic", "bedrock"],
  java: ["openai", "anthropic", "bedrock"],
  rust: ["openai", "bedrock"],
};

/** For `localhost`, as the front reads it. @returns the file that is to be trusted */
async function selfSigned(folder: string): Promise<string> {
  const [certificate, key] = [join(folder, "server.pem"), join(folder, "server.key")];
  const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  // Rust's clients take nothing from a certificate that might sign others.
  const leaf = ["-addext", "basicConstraints=critical,CA:FALSE"];
  const made = ["-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key, "-out", certificate];
  const { code, output } = await run("openssl", ["req", "-x509", ...made, ...names, ...leaf]);
  if (code !== 0)
    throw new NotHere(`openssl made no certificate; install it and run this again: ${output.slice(-300)}`);
  return certificate;
}
