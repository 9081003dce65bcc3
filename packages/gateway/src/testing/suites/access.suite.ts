import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dialects } from "../../dialects/index.ts";
import { type Route, routeName, routes } from "../../routes.ts";
import { type Answer, issuers, masterKey, models, startTestGateway, type TestGateway } from "../gateway.ts";
import type { Engine } from "./engine.ts";

const yaml = `${issuers}${models}
access:
  groups:
    users: { models: ["*"] }
    others: { models: [nova] }
    viewers: { models: ["*"], role: viewer }
    admins: { models: ["*"], role: admin }
`;

/** Who asks. */
type Who =
  | "nobody"
  | "user"
  | "other group"
  | "no group"
  | "viewer"
  | "admin"
  | "key"
  | "admin key"
  | "blocked key"
  | "master key"
  | "wrong key";
const people: readonly Who[] = [
  "nobody",
  "user",
  "other group",
  "no group",
  "viewer",
  "admin",
  "key",
  "admin key",
  "blocked key",
  "master key",
  "wrong key",
];

/** `in`: past authentication and authorization, whatever the answer then is. */
type Expected = "in" | 401 | 403;

/** The whole policy in one place, written independently of the code that decides. */
function expected(who: Who, { kind }: Route): Expected {
  if (kind === "public") return "in";
  if (who === "nobody" || who === "wrong key" || who === "blocked key") return 401;
  if (who === "admin" || who === "master key" || who === "admin key") return "in";
  if (kind === "admin") return 403;
  if (kind === "own") return "in";
  if (who === "no group") return 403;
  if (kind === "llm") return who === "user" || who === "key" ? "in" : 403;
  return "in";
}

/** A body that names the model `claude` where the route takes one from it. */
function bodyOf({ path }: Route): unknown {
  if (path === "/v1/embeddings") return { model: "claude", input: "x" };
  if (path === "/v1/responses") return { model: "claude", input: "x" };
  if (path.startsWith("/v1/messages"))
    return { model: "claude", max_tokens: 10, messages: [{ role: "user", content: "x" }] };
  if (path.startsWith("/model/")) return { messages: [{ role: "user", content: [{ text: "x" }] }] };
  if (path === "/v1/chat/completions") return { model: "claude", messages: [{ role: "user", content: "x" }] };
  return { key: "key_none" };
}

export function accessSuite(engine: Engine): void {
  describe(`every route and every kind of caller (${engine.name})`, () => {
    let gateway: TestGateway;
    const tokens = new Map<Who, string | undefined>();
    beforeAll(async () => {
      gateway = await startTestGateway({ yaml, env: await engine.fresh() });
      const made = async (body: object): Promise<string> =>
        (await gateway.call("/key/generate", { token: masterKey, body })).json.key;
      const blocked = await made({ key_alias: "blocked" });
      await gateway.call("/key/block", { token: masterKey, body: { key: blocked } });
      const token = (name: string, groups: string[]) =>
        gateway.token({ sub: name, email: `${name}@example.com`, groups });
      tokens.set("nobody", undefined);
      tokens.set("user", await token("alice", ["users"]));
      tokens.set("other group", await token("bob", ["others"]));
      tokens.set("no group", await token("mallory", []));
      tokens.set("viewer", await token("vera", ["viewers"]));
      tokens.set("admin", await token("carol", ["admins"]));
      tokens.set("key", await made({ key_alias: "service" }));
      tokens.set("admin key", await made({ key_alias: "operator", user_role: "proxy_admin" }));
      tokens.set("blocked key", blocked);
      tokens.set("master key", masterKey);
      tokens.set("wrong key", `sk-${"x".repeat(43)}`);
    });
    afterAll(() => gateway.close());

    const cases = routes.flatMap((route: Route) =>
      people.map((who) => [routeName(route), who, expected(who, route), route] as const),
    );

    test.each(cases)("%s by %s: %s", async (_, who, want, route) => {
      if (route.dialect !== undefined && dialects[route.dialect] === undefined)
        throw new Error(`no dialect ${route.dialect}`);
      const answer = await ask(route, route.path, tokens.get(who));
      if (want === "in") expect([401, 403]).not.toContain(answer.status);
      else expect(answer.status).toBe(want);
      expect(answer.status).not.toBe(500);
      if (want === 401) expect(answer.headers.get("www-authenticate")).toMatch(/^Bearer /);
    });

    test("aliases and HEAD are the same route", async () => {
      for (const route of routes as readonly Route[]) {
        for (const alias of route.aliases) {
          if (route.kind === "public") continue;
          expect((await ask(route, alias, undefined)).status, alias).toBe(401);
          expect((await ask(route, alias, tokens.get("no group"))).status, alias).toBe(expected("no group", route));
        }
      }
      expect((await gateway.call("/key/list", { method: "HEAD" })).status).toBe(401);
      expect((await gateway.call("/", { method: "HEAD" })).status).toBe(200);
    });

    test("a route that is not in the table does not exist, for anyone", async () => {
      for (const path of [
        "/key",
        "/key/generate/x",
        "/v1",
        "/v1/chat",
        "/admin/users",
        "/metrics",
        "/model/x/delete",
      ]) {
        for (const method of ["GET", "POST", "DELETE", "PUT"]) {
          expect((await gateway.call(path, { method, token: masterKey })).status, `${method} ${path}`).toBe(404);
        }
      }
    });

    function ask(route: Route, path: string, token: string | undefined): Promise<Answer> {
      const concrete = path.replace(":id", "claude");
      return gateway.call(
        concrete,
        route.method === "POST" ? { token, body: bodyOf(route) } : { method: route.method, token },
      );
    }
  });
}
