import { join } from "node:path";

const repository = join(import.meta.dirname, "../../..");
const usualProvider = "http://localhost:9400";

/** Prints an access token of alice's, from any folder. */
export function tokenCommand(identityProvider: string, folder = repository): string {
  const issuer = identityProvider === usualProvider ? "" : ` --issuer ${identityProvider}/oauth2/default`;
  return `npm --prefix ${quoted(folder)} run -s sandbox -- token --user alice${issuer}`;
}

/** Prints the demo application's key. */
export function keyCommand(demoAppKeyFile: string): string {
  return `cat ${quoted(demoAppKeyFile)}`;
}

/** One word for a shell, whatever stands in it. */
function quoted(path: string): string {
  return `'${path.replaceAll("'", "'\\''")}'`;
}
