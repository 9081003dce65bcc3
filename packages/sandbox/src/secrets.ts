import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const schema = z.object({
  sessionSecret: z.string().min(32),
  encryptionSecret: z.string().min(32),
  keyPepper: z.string().min(32),
  masterKey: z.string().startsWith("sk-"),
  demoAppKey: z.string().startsWith("obk_"),
});

/** Secrets of this one sandbox. Made at the first start and kept, so that sessions and keys outlive a restart. */
type SandboxSecrets = z.infer<typeof schema>;

export interface SecretFiles {
  readonly secrets: SandboxSecrets;
  /** Holds the demo application's key, so that a printed command can use it without showing it. */
  readonly demoAppKeyFile: string;
  readonly masterKeyFile: string;
}

/** Reads or makes the sandbox's secrets below `dataDir`, readable by their owner only. */
export function readSecrets(dataDir: string): SecretFiles {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const file = join(dataDir, "sandbox-secrets.json");
  const secrets = readKept(file) ?? make();
  const demoAppKeyFile = join(dataDir, "demo-app-key");
  const masterKeyFile = join(dataDir, "gateway-master-key");
  write(file, JSON.stringify(secrets, null, 2));
  write(demoAppKeyFile, secrets.demoAppKey);
  write(masterKeyFile, secrets.masterKey);
  // Where the gateway's command line finds it: keys made there work at this gateway.
  write(join(dataDir, "gateway-key-pepper"), secrets.keyPepper);
  return { secrets, demoAppKeyFile, masterKeyFile };
}

/** An unreadable file of an older sandbox is replaced: nothing but this sandbox depends on it. */
function readKept(file: string): SandboxSecrets | undefined {
  try {
    return schema.safeParse(JSON.parse(readFileSync(file, "utf8"))).data;
  } catch {
    return undefined;
  }
}

function make(): SandboxSecrets {
  const random = (bytes: number): string => randomBytes(bytes).toString("base64url");
  return {
    sessionSecret: random(48),
    encryptionSecret: random(48),
    keyPepper: random(48),
    masterKey: `sk-${random(32)}`,
    demoAppKey: `obk_${random(32)}`,
  };
}

function write(file: string, text: string): void {
  writeFileSync(file, text, { mode: 0o600 });
}
