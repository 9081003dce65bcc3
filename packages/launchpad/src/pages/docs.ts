import { page } from "./layout.ts";
import { type Child, h, type Tree } from "./tree.ts";

interface Schema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly format?: string;
  readonly enum?: readonly string[];
  readonly maxLength?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
}

interface Operation {
  readonly summary: string;
  readonly requestBody?: unknown;
  readonly responses: Readonly<Record<string, { readonly description: string }>>;
}

/** What this page reads of an OpenAPI document. */
export interface ApiDocument {
  readonly info: { readonly title: string; readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

/** The documentation of the public API, made from its OpenAPI document; nothing is loaded from elsewhere. */
export function docsPage(document: ApiDocument, publicUrl: string): string {
  const { info, paths, components } = document;
  return page(
    { title: "API", path: "/api/v1/docs" },
    h(
      "section",
      { class: "wide docs" },
      h("h1", {}, info.title),
      h("p", { class: "lead start" }, info.description),
      h(
        "p",
        { class: "spaced" },
        "As a document for tools: ",
        h("a", { href: "/api/v1/openapi.json" }, "OpenAPI 3.1"),
        ".",
      ),
      ways(publicUrl),
      h(
        "dl",
        { class: "facts spaced" },
        h("dt", {}, h("code", {}, "$ACCESS_TOKEN")),
        h(
          "dd",
          {},
          "the user's access token, from your own authorization server; which issuers and scopes are accepted is configured here. In the sandbox: ",
          h("code", {}, "npm run -s sandbox -- token --user alice"),
        ),
        h("dt", {}, h("code", {}, "$APP_KEY")),
        h(
          "dd",
          {},
          "an application's key, made by an administrator under Admin, Applications. In the sandbox: ",
          h("code", {}, ".onbehalf/demo-app-key"),
        ),
        h("dt", {}, h("code", {}, "X-Client-Id")),
        h("dd", {}, "a name of your choice for the calling program."),
      ),
      h("h2", {}, "Routes"),
      ...Object.entries(paths).flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, operation]) => route(method, path, operation)),
      ),
      h("h2", {}, "Forms"),
      ...Object.entries(components.schemas).map(([name, schema]) => form(name, schema)),
    ),
  );
}

function ways(publicUrl: string): Tree {
  const curl = (...lines: readonly string[]): Tree =>
    h(
      "pre",
      { tabindex: 0 },
      h("code", {}, [`curl -X POST '${publicUrl}/api/v1/voicebox/ask'`, ...lines].join(" \\\n  ")),
    );
  const body = `-d '{"query": "Who is Bob?"}'`;
  const json = "-H 'Content-Type: application/json'";
  return h(
    "div",
    { class: "cards" },
    h(
      "section",
      { class: "card" },
      h("h2", {}, "On behalf of a user"),
      h("p", {}, "The token says who the user is, the key says which application. This is the way to prefer."),
      curl(
        '-H "Authorization: Bearer $ACCESS_TOKEN"',
        '-H "X-Voicebox-App-Key: $APP_KEY"',
        "-H 'X-Client-Id: my-client'",
        json,
        body,
      ),
    ),
    h(
      "section",
      { class: "card" },
      h("h2", {}, "With the key alone"),
      h("p", {}, "For applications that allow it. No user is known then, and services below may refuse."),
      curl('-H "Authorization: Bearer $APP_KEY"', "-H 'X-Client-Id: my-client'", json, body),
    ),
  );
}

function route(method: string, path: string, { summary, responses }: Operation): Tree {
  return h(
    "section",
    { class: "card full route-card" },
    h("h3", {}, h("span", { class: "chip" }, method.toUpperCase()), " ", h("code", {}, path)),
    h("p", {}, summary),
    h(
      "details",
      { class: "fold" },
      h("summary", {}, "Answers"),
      h(
        "table",
        {},
        h("tbody", {}, ...Object.entries(responses).map(([status, { description }]) => row(status, description))),
      ),
    ),
  );
}

function row(name: string, ...content: readonly Child[]): Tree {
  return h("tr", {}, h("th", { scope: "row" }, h("code", {}, name)), h("td", {}, ...content));
}

function form(name: string, { properties = {}, required = [] }: Schema): Tree {
  return h(
    "section",
    { class: "card full route-card", id: name },
    h("h3", {}, name),
    h(
      "table",
      {},
      h(
        "tbody",
        {},
        ...Object.entries(properties).map(([field, schema]) =>
          row(
            field,
            h("code", {}, typeText(schema)),
            required.includes(field) && " required",
            schema.description && ` — ${schema.description}`,
          ),
        ),
      ),
    ),
  );
}

function typeText({ type, format, items, anyOf, enum: values, properties }: Schema): string {
  if (values !== undefined) return values.join(" | ");
  if (anyOf !== undefined) return anyOf.map(typeText).join(" | ");
  if (items !== undefined) return `${typeText(items)}[]`;
  if (type === undefined) return properties === undefined ? "any" : "object";
  return format === undefined ? [type].flat().join(" | ") : `${[type].flat().join(" | ")} (${format})`;
}
