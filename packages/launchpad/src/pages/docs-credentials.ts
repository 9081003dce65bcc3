import { askOnBehalf, askWithKey, type CredentialCommands } from "./curl.ts";
import { type Child, h, type Tree } from "./tree.ts";

/** What the API takes, as it is configured here. */
export interface ApiAccess {
  readonly publicUrl: string;
  readonly jwtEnabled: boolean;
  readonly issuers: readonly string[];
  readonly audience: readonly string[];
  readonly requiredScopes: readonly string[];
  readonly commands: CredentialCommands;
}

/** How a program shows who it is: two ways, what each header carries, and where that comes from. */
export function credentials(access: ApiAccess): readonly Tree[] {
  const { publicUrl, commands, jwtEnabled } = access;
  return [
    h(
      "div",
      { class: "cards" },
      jwtEnabled &&
        way(
          "On behalf of a user",
          "The token says who the user is, the key says which application. This is the way to prefer.",
          askOnBehalf(publicUrl, commands),
        ),
      way(
        "With the key alone",
        "For applications that allow it. No user is known then, and services below may refuse.",
        askWithKey(publicUrl, commands),
      ),
    ),
    h("h2", {}, "Headers"),
    h("section", { class: "card spaced" }, headers(jwtEnabled)),
    h("h2", {}, "Where the token and the key come from"),
    sources(access),
  ];
}

function way(title: string, words: string, line: string): Tree {
  const id = `curl-${title.toLowerCase().replaceAll(" ", "-")}`;
  const label = `Copy: ${title[0]?.toLowerCase()}${title.slice(1)}`;
  return h(
    "section",
    { class: "card" },
    h("h2", {}, title),
    h("p", {}, words),
    h("pre", { tabindex: 0 }, h("code", { id }, `${line}'{"query": "Who am I?"}'`)),
    h("button", { type: "button", class: "second spaced", "data-copy": id, "aria-label": label }, "Copy"),
  );
}

function headers(jwtEnabled: boolean): Tree {
  const user = "the user's access token";
  const key = "the application's key";
  const rows: readonly (readonly [name: string, onBehalf: string, alone: string])[] = [
    ["Authorization", `Bearer and ${user}`, `Bearer and ${key}`],
    ["X-Voicebox-App-Key", key, "—"],
    ["X-Client-Id", "which program is calling: 1 to 254 characters of your choice", "the same"],
    [
      "X-SD-Auth-Token",
      "—",
      jwtEnabled
        ? `may carry ${user}, for clients whose Authorization has to be the key: the question is then on behalf of the user`
        : "—",
    ],
    ["Content-Type", "application/json, where there is a body", "the same"],
  ];
  const heads = ["Header", ...(jwtEnabled ? ["On behalf of a user"] : []), "With the key alone"];
  const cell = (name: string, words: string): Tree => h("td", { "data-label": name }, words);
  return h(
    "div",
    { class: "table stacked", tabindex: 0, role: "region", "aria-label": "What each header carries" },
    h(
      "table",
      { "aria-label": "Headers" },
      h("thead", {}, h("tr", {}, ...heads.map((name) => h("th", { scope: "col" }, name)))),
      h(
        "tbody",
        {},
        ...rows.map(([name, onBehalf, alone]) =>
          h(
            "tr",
            {},
            h("th", { scope: "row" }, h("code", {}, name)),
            jwtEnabled && cell("For a user", onBehalf),
            cell("Key alone", alone),
          ),
        ),
      ),
    ),
  );
}

function sources({ jwtEnabled, issuers, audience, requiredScopes, commands }: ApiAccess): Tree {
  const name = (command: string | undefined, variable: string): Child =>
    h("code", {}, command === undefined ? `$${variable}` : `$(${command})`);
  const token: Child = [
    "an access token of a real user (not of a program by itself), from one of the issuers below. Send it as the issuer gave it.",
    h(
      "dl",
      { class: "facts spaced" },
      ...fact("issuer", issuers),
      ...fact("audience", audience),
      ...fact("scopes", requiredScopes),
    ),
  ];
  return h(
    "dl",
    { class: "facts spaced" },
    jwtEnabled && [h("dt", {}, "The user's token"), h("dd", {}, name(commands.token, "ACCESS_TOKEN"), ": ", token)],
    h("dt", {}, "The application's key"),
    h(
      "dd",
      {},
      name(commands.key, "APP_KEY"),
      ": begins with ",
      h("code", {}, "obk_"),
      ". An administrator makes it under Admin, Applications; it is shown once, and belongs to one application.",
    ),
  );
}

function fact(name: string, values: readonly string[]): readonly Tree[] {
  if (values.length === 0) return [];
  return [h("dt", {}, name), h("dd", {}, values.join(", "))];
}
