import type { Session } from "../session/session.ts";
import { type ApiAccess, credentials } from "./docs-credentials.ts";
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

export interface DocsPage {
  readonly document: ApiDocument;
  readonly access: ApiAccess;
  /** Undefined: the page is open to everybody. */
  readonly session: Session | undefined;
  readonly isAdmin: boolean;
}

/** The documentation of the public API, made from its OpenAPI document; nothing is loaded from elsewhere. */
export function docsPage({ document, access, session, isAdmin }: DocsPage): string {
  const { info, paths, components } = document;
  return page(
    { title: "API", path: "/api/v1/docs", session, isAdmin, script: true },
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
      ...credentials(access),
      h("h2", {}, "Routes"),
      ...Object.entries(paths).flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, operation]) => route(method, path, operation)),
      ),
      h("h2", {}, "Forms"),
      ...Object.entries(components.schemas).map(([name, schema]) => form(name, schema)),
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
            schema.description && [" — ", ...withCode(schema.description)],
          ),
        ),
      ),
    ),
  );
}

/** Markdown's way to mark a name, as a page marks it. */
function withCode(text: string): readonly Child[] {
  return text.split("`").map((part, at) => (at % 2 === 0 ? part : h("code", {}, part)));
}

function typeText({ type, format, items, anyOf, enum: values, properties }: Schema): string {
  if (values !== undefined) return values.join(" | ");
  if (anyOf !== undefined) return anyOf.map(typeText).join(" | ");
  if (items !== undefined) return `${typeText(items)}[]`;
  if (type === undefined) return properties === undefined ? "any" : "object";
  return format === undefined ? [type].flat().join(" | ") : `${[type].flat().join(" | ")} (${format})`;
}
