import { Command, CommanderError } from "commander";
import { decodeJwt, decodeProtectedHeader } from "jose";
import { defaultScope, SignInError, signIn } from "../token.ts";
import { walkChain } from "./chain-command.ts";

interface TokenOptions {
  readonly user: string;
  readonly password?: string;
  readonly issuer: string;
  readonly audience?: string;
  readonly scope?: string;
  readonly client: string;
  readonly at?: string;
  readonly json?: boolean;
  readonly decode?: boolean;
}

interface ChainOptions {
  readonly user: string;
  readonly at?: string;
  readonly launchpad?: string;
}

/** Where the lines of a command go, and the environment it sees. */
interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** Scopes an audience is of little use without. */
const scopeOf: Readonly<Record<string, string>> = { voicebox: "voicebox", "llm-gateway": "llm-gateway" };

/** Runs one command. @returns the exit code: 0, or 1 with the reason on standard error */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const program = new Command("sandbox")
    .description("Tools for the running sandbox")
    .exitOverride()
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.err });
  program
    .command("token")
    .description("Sign in as a demo user, by the real login page, and print the access token")
    .requiredOption("--user <name>", "alice, bob, carol or mallory")
    .option("--password <password>", "the user's name when left out, as it is in the sandbox")
    .option("--issuer <name>", "default, llm, partner …, or a whole URL", "default")
    .option("--audience <name>", "launchpad, voicebox or llm-gateway; launchpad when left out (llm: llm-gateway)")
    .option("--scope <scopes>", "separated by spaces; who the user is, and what the audience needs, when left out")
    .option("--at <url>", "where the identity provider is, for example http://localhost:9400; else SANDBOX_IDP_PORT")
    .option("--client <id>", "the client to sign in with", "sandbox-cli")
    .option("--json", "print the whole answer of the token endpoint")
    .option("--decode", "print the token's header and claims")
    .action((options: TokenOptions) => printToken(options, terminal));
  program
    .command("chain")
    .description("Make the four tokens of one question as the services make them, and print their claims")
    .requiredOption("--user <name>", "alice, bob, carol or mallory")
    .option("--at <url>", "where the identity provider is, for example http://localhost:9400; else SANDBOX_IDP_PORT")
    .option("--launchpad <url>", "where Launchpad is, for example http://localhost:3000; else LAUNCHPAD_PORT")
    .action((options: ChainOptions) => printChain(options, terminal));
  try {
    await program.parseAsync(args, { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 1;
    const at =
      program.commands.map((command) => command.opts<{ at?: string }>().at).find(Boolean) ?? baseUrl(terminal.env);
    terminal.err(`${explain(error, at)}\n`);
    return 1;
  }
}

async function printToken(options: TokenOptions, { env, out }: Terminal): Promise<void> {
  const { user, password, audience, client: clientId } = options;
  const at = options.at?.replace(/\/+$/, "") ?? baseUrl(env);
  const scope = options.scope ?? [defaultScope, scopeOf[audience ?? ""] ?? ""].join(" ").trim();
  const issuer = options.issuer.includes("://") ? options.issuer : `${at}/oauth2/${options.issuer}`;
  const { accessToken: token, response } = await signIn({
    issuer,
    user,
    clientId,
    scope,
    ...(password === undefined ? {} : { password }),
    ...(audience === undefined ? {} : { audience }),
  });
  if (options.json === true) out(`${JSON.stringify(response, undefined, 2)}\n`);
  else if (options.decode === true) {
    out(`${JSON.stringify({ header: decodeProtectedHeader(token), claims: decodeJwt(token) }, undefined, 2)}\n`);
  } else out(`${token}\n`);
}

async function printChain(options: ChainOptions, { env, out }: Terminal): Promise<void> {
  const at = options.at?.replace(/\/+$/, "") ?? baseUrl(env);
  const launchpad = options.launchpad?.replace(/\/+$/, "") ?? `http://localhost:${env.LAUNCHPAD_PORT ?? "3000"}`;
  const chain = await walkChain({ user: options.user, at, launchpad });
  out(`${JSON.stringify(chain, undefined, 2)}\n`);
}

const baseUrl = (env: Terminal["env"]): string => `http://localhost:${env.SANDBOX_IDP_PORT ?? "9400"}`;

/** The failure in words, with what to do next. */
function explain(error: unknown, at: string): string {
  if (error instanceof SignInError) return `No token: ${error.message}`;
  if (error instanceof TypeError && error.message === "fetch failed") {
    return `No token: nothing answers at ${at}. Start the sandbox with "npm start" first, or say where it is with --at or SANDBOX_IDP_PORT.`;
  }
  return `No token: ${error instanceof Error ? error.message : String(error)}`;
}
