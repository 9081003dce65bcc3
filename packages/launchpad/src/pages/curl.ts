/** How a person at a shell gets what a request carries; undefined: by a way of their own. */
export interface CredentialCommands {
  readonly token: string | undefined;
  readonly key: string | undefined;
}

/** A question on behalf of a user as a line for a shell, up to its body. */
export function askOnBehalf(publicUrl: string, { token, key }: CredentialCommands): string {
  return curl(publicUrl, [
    `-H "Authorization: Bearer ${value(token, "ACCESS_TOKEN")}"`,
    `-H "X-Voicebox-App-Key: ${value(key, "APP_KEY")}"`,
  ]);
}

/** The same with the application's key alone. */
export function askWithKey(publicUrl: string, { key }: CredentialCommands): string {
  return curl(publicUrl, [`-H "Authorization: Bearer ${value(key, "APP_KEY")}"`]);
}

function curl(publicUrl: string, headers: readonly string[]): string {
  const rest = ["-H 'X-Client-Id: my-client'", "-H 'Content-Type: application/json'", "-d "];
  return [`curl -sS -X POST '${publicUrl}/api/v1/voicebox/ask'`, ...headers, ...rest].join(" \\\n  ");
}

function value(command: string | undefined, variable: string): string {
  return command === undefined ? `$${variable}` : `$(${command})`;
}
