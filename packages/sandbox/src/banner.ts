import { dirname } from "node:path";
import { keyCommand, tokenCommand } from "./commands.ts";
import type { Sandbox } from "./launch.ts";

const people = [
  ["alice", "litellm-users", "asks questions"],
  ["bob", "litellm-developers", "may use every model"],
  ["carol", "litellm-admins", "sees everyone's records"],
  ["mallory", "no group", "is refused by the gateway, in words"],
] as const;

/** A request by the public API that works when pasted into any shell: the token and the key are fetched, not shown. */
export function curlLine({ urls, demoAppKeyFile }: Pick<Sandbox, "urls" | "demoAppKeyFile">): string {
  return [
    `curl -sS -X POST ${urls.launchpad}/api/v1/voicebox/ask`,
    `-H "Authorization: Bearer $(${tokenCommand(urls.identityProvider)})"`,
    `-H "X-Voicebox-App-Key: $(${keyCommand(demoAppKeyFile)})"`,
    `-H 'X-Client-Id: curl' -H 'Content-Type: application/json'`,
    `-d '{"query":"Who is Bob?"}'`,
  ].join(" ");
}

/** What a person who typed \`npm start\` needs to know next. */
export function banner(sandbox: Sandbox, logFile?: string): string {
  const { urls } = sandbox;
  const row = (name: string, url: string, what: string): string => `  ${name.padEnd(18)} ${url.padEnd(24)} ${what}`;
  return [
    "",
    "Onbehalf is running. Open the first line in a browser and sign in.",
    "",
    row("Launchpad", urls.launchpad, "sign in here and ask “Who is Bob?”"),
    row("Voicebox", urls.voicebox, "answers from the graph"),
    row("Gateway", urls.gateway, "the only one that talks to the models"),
    row("Identity provider", urls.identityProvider, "sandbox: three authorization servers"),
    row("Bedrock stand-in", urls.bedrock, "sandbox: answers by rule, it is not a model"),
    "",
    "  user      password  group",
    ...people.map(([name, group, what]) => `  ${name.padEnd(9)} ${name.padEnd(9)} ${group.padEnd(19)} ${what}`),
    "",
    "Ask as alice without a browser:",
    "",
    curlLine(sandbox),
    "",
    `Its data: ${dirname(sandbox.demoAppKeyFile)} (delete that folder to begin anew)`,
    ...(logFile === undefined ? [] : [`Its log:  ${logFile}`]),
    "Ctrl-C ends it.",
    "",
    "",
  ].join("\n");
}
