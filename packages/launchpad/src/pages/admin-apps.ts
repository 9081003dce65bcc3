import type { Connection } from "../api/below.ts";
import { type App, type AppMode, appModes } from "../apps/app.ts";
import type { NewKey } from "../apps/handover.ts";
import type { AppManagement, ShownKey } from "../apps/manage.ts";
import type { AdminPage } from "./admin.ts";
import { type Child, h, type Tree } from "./tree.ts";

type ListedApp = Awaited<ReturnType<AppManagement["list"]>>[number];

/** The applications, each with its keys, and the form for another one. */
export function appCards({
  apps,
  connections,
  newKey,
  open,
  refused,
}: Pick<AdminPage, "apps" | "connections" | "newKey" | "open" | "refused">): readonly Tree[] {
  const known = "value" in connections ? connections.value : [];
  const at = (path: string) => (refused?.path === path ? refused.fields : undefined);
  return [
    h(
      "section",
      { class: "card full", id: "apps" },
      h("h2", {}, "Applications"),
      newKey === "gone" && h("p", { class: "shown-once", role: "status" }, goneWords),
      newKey !== undefined && newKey !== "gone" && shownOnce(newKey),
      ...apps.map((app) => appDetails(app, app.id === open, known, at)),
      h(
        "details",
        { class: "fold", open: at(newAppPath) !== undefined },
        h("summary", {}, "New application"),
        appForm(newAppPath, undefined, known, at(newAppPath)),
      ),
    ),
  ];
}

const newAppPath = "/admin/apps";

/** What a refused form was filled in with, by where it was sent to; undefined for every other form. */
type FilledIn = (path: string) => URLSearchParams | undefined;

/** Somebody loaded the page again, or came back to it. */
const goneWords =
  "A new key is shown once, and this one is not shown any more. If you have not copied it, make another or rotate it.";

function shownOnce({ name, key, appId }: NewKey): Tree {
  return h(
    "div",
    { class: "shown-once", role: "status" },
    h(
      "p",
      {},
      h("strong", {}, `The key “${name}” of ${appId}`),
      ". Copy it now: it is stored as a hash and not shown again.",
    ),
    h("pre", { class: "wrapped", tabindex: 0, id: "new-key" }, key),
    h("button", { type: "button", class: "second", "data-copy": "new-key", "aria-label": "Copy the key" }, "Copy"),
  );
}

function appDetails(app: ListedApp, isOpen: boolean, connections: readonly Connection[], at: FilledIn): Tree {
  const inFile = app.source === "file";
  const path = `${newAppPath}/${app.id}`;
  const [settings, key] = [at(path), at(`${path}/keys`)];
  return h(
    "details",
    { class: "fold", open: isOpen || settings !== undefined || key !== undefined },
    h(
      "summary",
      {},
      h("strong", {}, app.name),
      " ",
      h("span", { class: "quiet" }, `${app.id} · ${app.connection}/${app.database} · ${keyCount(app)}`),
      app.disabled && [" ", h("span", { class: "chip warn" }, "disabled")],
      inFile && [" ", h("span", { class: "chip" }, "kept in the file")],
    ),
    facts(app),
    keys(app, inFile),
    inFile
      ? h("p", { class: "quiet spaced" }, "Change it in the applications file (LAUNCHPAD_APPS_FILE).")
      : [
          keyForm(app, key),
          h(
            "details",
            { class: "fold", open: settings !== undefined },
            h("summary", {}, "Settings"),
            appForm(path, app, connections, settings),
          ),
          h(
            "details",
            { class: "fold" },
            h("summary", {}, "Delete"),
            h(
              "form",
              { method: "post", action: `/admin/apps/${app.id}/delete` },
              h(
                "p",
                {},
                `Whoever uses ${app.name} with one of its keys is refused from then on. This cannot be undone.`,
              ),
              h("button", { class: "danger spaced", type: "submit" }, `Delete ${app.name} and its ${keyCount(app)}`),
            ),
          ),
        ],
  );
}

function keyCount({ keys: { length } }: ListedApp): string {
  return `${length} ${length === 1 ? "key" : "keys"}`;
}

function facts(app: App): Tree {
  const rows: readonly (readonly [name: string, value: string])[] = [
    ["model", app.model],
    ["named graphs", app.named_graphs.length === 0 ? "all" : app.named_graphs.join(", ")],
    ["reasoning", app.reasoning ? "on" : "off"],
    ["ways in", app.modes.map((mode) => modeWords[mode]).join(", ")],
    ["origins", app.origins.length === 0 ? "none but this site" : app.origins.join(", ")],
    ["requests per minute", app.requests_per_minute === null ? "the general limit" : String(app.requests_per_minute)],
    ["ends", app.expires_at ?? "never"],
    ["made by", app.created_by ?? "—"],
  ];
  return h("dl", { class: "facts" }, ...rows.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}

const modeWords: Readonly<Record<AppMode, string>> = {
  session: "signed-in page",
  jwt: "user's token and key",
  app_key: "key alone",
};

function keys(app: ListedApp, inFile: boolean): Child {
  if (app.keys.length === 0) return h("p", { class: "quiet" }, "It has no key yet.");
  const head = ["Key", "Begins with", "Last used", "Ends", "Made by", ""];
  return h(
    "div",
    { class: "table stacked", tabindex: 0, role: "region", "aria-label": `Keys of ${app.name}` },
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, ...head.map((name) => (name === "" ? h("td") : h("th", { scope: "col" }, name))))),
      h("tbody", {}, ...app.keys.map((key) => keyRow(app, key, inFile))),
    ),
  );
}

function keyRow(app: ListedApp, key: ShownKey, inFile: boolean): Tree {
  const act = (verb: string, label: string, style: string, ...before: readonly Child[]): Tree =>
    h(
      "form",
      { method: "post", action: `/admin/apps/${app.id}/keys/${key.id}/${verb}` },
      ...before,
      h("button", { class: style, type: "submit", "aria-label": `${label} the key ${key.name}` }, label),
    );
  const warning = h("p", {}, "Programs that use it are refused from then on. This cannot be undone.");
  return h(
    "tr",
    {},
    h("td", { "data-label": "Key" }, key.name, " ", key.disabled && h("span", { class: "chip warn" }, "disabled")),
    h("td", { "data-label": "Begins with" }, h("code", {}, `${key.hint}…`)),
    h("td", { "data-label": "Last used" }, key.last_used_at?.slice(0, 16).replace("T", " ") ?? "never"),
    h("td", { "data-label": "Ends" }, key.expires_at?.slice(0, 16).replace("T", " ") ?? "never"),
    h("td", { "data-label": "Made by" }, key.created_by?.split(" ").at(-1) ?? "—"),
    h(
      "td",
      { class: "acts" },
      !inFile && [
        act("rotate", "Rotate", "second"),
        key.disabled ? act("enable", "Enable", "second") : act("disable", "Disable", "second"),
        h(
          "details",
          { class: "sure" },
          h("summary", { "aria-label": `Delete the key ${key.name}…` }, "Delete"),
          act("delete", "Delete for good", "danger", warning),
        ),
      ],
    ),
  );
}

function keyForm(app: ListedApp, given: URLSearchParams | undefined): Tree {
  const value = (name: string): string | undefined => given?.get(name) ?? undefined;
  const autofocus = given !== undefined;
  return h(
    "form",
    { class: "inline", method: "post", action: `/admin/apps/${app.id}/keys` },
    h(
      "label",
      {},
      "New key ",
      h("input", {
        type: "text",
        name: "name",
        value: value("name"),
        required: true,
        maxlength: 100,
        placeholder: "what it is for",
        autofocus,
      }),
    ),
    h(
      "label",
      {},
      "ends in days ",
      h("input", { type: "number", name: "days", value: value("days"), min: 1, max: 3650, placeholder: "never" }),
    ),
    h("button", { type: "submit" }, "Make key"),
  );
}

/** `given`: as it was filled in before it was refused. */
function appForm(
  action: string,
  app: App | undefined,
  connections: readonly Connection[],
  given: URLSearchParams | undefined,
): Tree {
  const value = (name: string, own: string | undefined): string | undefined => given?.get(name) ?? own;
  const field = (
    name: string,
    label: string,
    own: string | undefined,
    more: Record<string, string | number | boolean> = {},
  ): Tree => h("label", {}, label, h("input", { type: "text", name, value: value(name, own), ...more }));
  const box = (name: string, of: string, label: string, own: boolean): Tree =>
    check(name, of, label, given === undefined ? own : given.getAll(name).includes(of));
  const connection = value("connection", app?.connection);
  return h(
    "form",
    { class: "form", method: "post", action },
    field("name", "Name", app?.name, { required: true, maxlength: 100, autofocus: given !== undefined }),
    connections.length === 0
      ? field("connection", "Connection", connection ?? "demo", { required: true })
      : h("label", {}, "Connection", connectionChoice(connection, connections)),
    field("database", "Database", app?.database ?? "demo", { required: true }),
    field("model", "Model", app?.model ?? "default", { required: true }),
    field("named_graphs", "Named graphs, comma-separated (empty: all)", app?.named_graphs.join(", ")),
    field("origins", "Other sites that may call, comma-separated", app?.origins.join(", "), {
      placeholder: "https://intranet.example.com",
    }),
    h(
      "label",
      {},
      "Questions to begin with, one per line",
      h("textarea", { name: "examples", rows: 3 }, value("examples", app?.examples.join("\n"))),
    ),
    field("requests_per_minute", "Requests per minute (empty: general limit)", app?.requests_per_minute?.toString(), {
      type: "number",
      min: 1,
      max: 100_000,
    }),
    field("expires_at", "Ends (empty: never)", app?.expires_at?.slice(0, 10), { type: "date" }),
    h(
      "fieldset",
      {},
      h("legend", {}, "Ways in"),
      ...appModes.map((mode) =>
        box("modes", mode, modeWords[mode], app === undefined ? mode !== "app_key" : app.modes.includes(mode)),
      ),
    ),
    box("reasoning", "1", "Reasoning", app?.reasoning ?? false),
    box("disabled", "1", "Disabled", app?.disabled ?? false),
    h("button", { type: "submit" }, app === undefined ? "Create application" : "Save"),
  );
}

/** One that Voicebox does not have any more stays to be chosen: saving something else must not move the application. */
function connectionChoice(chosen: string | undefined, connections: readonly Connection[]): Tree {
  const lost = chosen === undefined || connections.some(({ name }) => name === chosen) ? [] : [chosen];
  return h(
    "select",
    { name: "connection", required: true },
    ...lost.map((name) => h("option", { value: name, selected: true }, `${name} (Voicebox does not have it)`)),
    ...connections.map(({ name, description, default: byDefault }) => {
      const selected = chosen === undefined ? byDefault : name === chosen;
      return h("option", { value: name, selected }, description === null ? name : `${name}: ${description}`);
    }),
  );
}

function check(name: string, value: string, label: string, checked: boolean): Tree {
  return h("label", { class: "check" }, h("input", { type: "checkbox", name, value, checked }), label);
}
