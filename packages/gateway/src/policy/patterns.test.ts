import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findRoute, routes } from "../routes.ts";
import { matchesModel, matchesRoute, matchesWildcard } from "./patterns.ts";

function route(name: string) {
  const [method = "", path = ""] = name.split(" ");
  const found = findRoute(method, path);
  if (found === undefined) throw new Error(`no route ${name}`);
  return found;
}

describe("route patterns", () => {
  test.each([
    ["/chat/completions", "POST /v1/chat/completions", true],
    ["/v1/chat/completions", "POST /v1/chat/completions", true],
    ["chat/completions", "POST /v1/chat/completions", true],
    ["/chat/completions", "POST /v1/embeddings", false],
    ["/chat", "POST /v1/chat/completions", false],
    ["/key/*", "POST /key/generate", true],
    ["/key/*", "GET /user/info", false],
    ["/admin/*", "POST /key/generate", false],
    ["/model/*", "POST /model/x/converse", true],
    ["/model/{id}/converse", "POST /model/x/converse", true],
    ["/model/{id}/converse", "POST /model/x/invoke", false],
    ["openai_routes", "POST /v1/responses", true],
    ["openai_routes", "POST /v1/messages", false],
    ["anthropic_routes", "POST /v1/messages", true],
    ["info_routes", "GET /team/info", true],
    ["info_routes", "GET /key/list", false],
    ["management_routes", "POST /key/delete", true],
    ["spend_tracking_routes", "GET /spend/logs", true],
    ["*", "POST /key/delete", true],
    ["constructor", "POST /key/delete", false],
    ["__proto__", "POST /key/delete", false],
  ])("%s names %s: %s", (pattern, name, expected) => {
    expect(matchesRoute(pattern, route(name))).toBe(expected);
  });

  test("every route is found by every one of its spellings, and no two routes share one", () => {
    const seen = routes.flatMap((one) => [one.path, ...one.aliases].map((path) => `${one.method} ${path}`));
    expect(new Set(seen).size).toBe(seen.length);
    for (const one of routes) {
      for (const path of [one.path, ...one.aliases]) expect(findRoute(one.method, path.replace(":id", "x"))).toBe(one);
    }
  });
});

describe("model patterns", () => {
  test.each([
    ["claude-*", "claude-sonnet-4-5", true],
    ["claude-*", "nova-lite", false],
    ["*sonnet*", "claude-sonnet-4-5", true],
    ["*", "anything", true],
    ["all-proxy-models", "anything", true],
    ["no-default-models", "claude", false],
    ["a*b", "ab", true],
    ["a*b", "aXbY", false],
    ["a*a", "a", false],
    ["", "", true],
    ["claude", "Claude", false],
  ])("%s names %s: %s", (pattern, model, expected) => {
    expect(matchesModel(pattern, model)).toBe(expected);
  });

  test("agrees with the regular expression of the same meaning", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", "*", "."), maxLength: 8 });
    fc.assert(
      fc.property(text, text, (pattern, raw) => {
        const name = raw.replaceAll("*", "c");
        const parts = pattern.split("*").map((part) => part.replaceAll(".", "\\."));
        expect(matchesWildcard(pattern, name)).toBe(new RegExp(`^${parts.join(".*")}$`, "s").test(name));
      }),
    );
  });
});
