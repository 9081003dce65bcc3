import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Chain, startChain } from "../chain.ts";
import { tokenFor } from "./people.ts";

let chain: Chain;
let master = "";
beforeAll(async () => {
  chain = await startChain();
  master = (await readFile(join(chain.dataDir, "gateway-master-key"), "utf8")).trim();
});
afterAll(() => chain?.close());

type Body = Record<string, unknown>;
interface Answer {
  readonly status: number;
  readonly body: Body;
  readonly headers: Headers;
}

async function send(key: string, path: string, body?: Body, headers: Record<string, string> = {}): Promise<Answer> {
  const answer = await fetch(chain.urls.gateway + path, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: (await answer.json()) as Body, headers: answer.headers };
}

async function make(fields: Body): Promise<{ key: string; id: string }> {
  const { body } = await send(master, "/key/generate", fields);
  return { key: String(body.key), id: String(body.token_id) };
}

const hello = { model: "nova-lite", max_tokens: 5, messages: [{ role: "user", content: "Hello" }] };
const chat = (key: string, body: Body = hello) => send(key, "/v1/chat/completions", body);

describe("a key that may manage keys never reaches further than itself", () => {
  const own = { user_id: "sam", models: ["nova-lite"], allowed_routes: ["/key/*", "llm_api_routes"] };

  it.each([
    ["a model more", { models: ["claude-sonnet-4-5"] }],
    ["every model", { models: ["*"] }],
    ["LiteLLM's name for every model", { models: ["all-proxy-models"] }],
    ["a role", { user_role: "admin" }],
    ["LiteLLM's name of the role", { user_role: "proxy_admin" }],
    ["a route more", { allowed_routes: ["/spend/*"] }],
    ["every route", { allowed_routes: ["*"] }],
    ["a family of routes", { key_type: "management" }],
    ["another person", { user_id: "carol@example.com" }],
    ["a team", { team_id: "red" }],
  ])("cannot make a key with %s", async (_, fields) => {
    expect((await send((await make(own)).key, "/key/generate", fields)).status).toBe(403);
  });

  it("keeps its own bounds in a key it makes without naming any", async () => {
    const { body } = await send((await make(own)).key, "/key/generate", {});
    expect(body).toMatchObject({ models: own.models, allowed_routes: own.allowed_routes, user_role: "standard" });
  });

  it.each([
    ["an administrator's key", { user_role: "admin" }],
    ["a key with other models", { models: ["claude-sonnet-4-5"] }],
    ["a key with more routes", { models: ["nova-lite"], allowed_routes: ["*"] }],
  ])("cannot get hold of %s of the same person by renewing it", async (_, fields) => {
    const other = await make({ user_id: "sam", ...fields });
    const { key } = await make(own);
    const renewed = await send(key, "/key/regenerate", { key: other.id });
    expect([renewed.status, renewed.body.key]).toEqual([403, undefined]);
  });

  it.each([
    ["lifts its limits", { rpm_limit: 1_000_000 }],
    ["drops its budget", { max_budget: null }],
  ])("%s: refused, for itself and for a key it makes", async (_, change) => {
    const { key, id } = await make({ ...own, rpm_limit: 2, max_budget: 0.01 });
    expect((await send(key, "/key/update", { key: id, ...change })).status).toBe(403);
    expect((await send(key, "/key/generate", {})).status).toBe(403);
    expect((await send(key, "/key/regenerate", { key: id })).status).toBe(403);
  });

  it("is not known to another person's key, by id, alias or itself", async () => {
    const other = await make({ user_id: "kim", key_alias: "kims" });
    const { key } = await make(own);
    for (const named of [other.id, "kims", other.key]) {
      for (const path of ["/key/block", "/key/regenerate"]) {
        expect((await send(key, path, { key: named })).status).toBe(404);
      }
      expect((await send(key, `/key/info?key=${encodeURIComponent(named)}`)).status).toBe(404);
    }
    expect((await chat(other.key)).status).toBe(200);
  });
});

describe("what looks like a key", () => {
  it.each([
    "x' OR pg_sleep(5)--",
    "sk-' OR '1'='1",
    "sk-%27%20OR%201%3D1--aaaaaaaa",
    "sk-__proto__________",
    `sk-${"a".repeat(5000)}`,
    "key_aaaaaaaaaaaa",
  ])("%s is refused with 401", async (text) => {
    const { status, body } = await chat(text);
    expect([status, JSON.stringify(body).includes(text)]).toEqual([401, false]);
  });

  it("neither the stored hash nor the public id is one, and no GET shows key or hash", async () => {
    const { key, id } = await make({ user_id: "pat", key_alias: "pats" });
    const database = new DatabaseSync(join(chain.dataDir, "gateway.sqlite"), { readOnly: true });
    const row = database.prepare("SELECT key_hash FROM virtual_keys WHERE id = ?").get(id);
    database.close();
    const hash = String(row?.key_hash);
    for (const text of [hash, `sk-${hash}`, id, `sk-${id}`]) expect((await chat(text)).status).toBe(401);
    const shown = await Promise.all(
      [`/key/info?key=${id}`, "/key/list?return_full_object=true", "/user/info?user_id=pat"].map((path) =>
        send(master, path),
      ),
    );
    expect(JSON.stringify(shown)).not.toContain(hash);
    expect(JSON.stringify(shown)).not.toContain(key);
  });

  it("the master key is one exactly as it is written", async () => {
    for (const text of [master.slice(0, -1), `${master}a`, master.toUpperCase()]) {
      expect((await send(text, "/key/list")).status).toBe(401);
    }
  });
});

describe("a limit holds whatever the way to it", () => {
  it("requests a minute are one count over aliases and dialects, at once", async () => {
    const { key } = await make({ rpm_limit: 10 });
    const ways = ["/v1/chat/completions", "/chat/completions", "/v1/messages", "/v1/responses"];
    const asked = Array.from({ length: 40 }, (_, at) => send(key, ways[at % 4] ?? "", { ...hello, input: "Hello" }));
    const answers = await Promise.all(asked);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(10);
    const refused = answers.find(({ status }) => status === 429);
    expect(Number(refused?.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
  });

  it("one key's limit is not another's", async () => {
    const [spent, other] = [await make({ rpm_limit: 1 }), await make({ rpm_limit: 1 })];
    const statuses = [await chat(spent.key), await chat(spent.key), await chat(other.key)].map(({ status }) => status);
    expect(statuses).toEqual([200, 429, 200]);
  });

  it.each([
    "claude-sonnet-4-5",
    "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "us.amazon.nova-lite-v1:0",
    "Nova-Lite",
    "nova-lite ",
    "nova-lite/../claude-sonnet-4-5",
  ])("a key for nova-lite does not open %s, in body or path", async (model) => {
    const { key } = await make({ models: ["nova-lite"] });
    const body = { messages: [{ role: "user", content: [{ text: "Hello" }] }] };
    // 404: there is no such model, for nobody.
    expect([403, 404]).toContain((await chat(key, { ...hello, model })).status);
    expect([400, 403, 404]).toContain((await send(key, `/model/${encodeURIComponent(model)}/converse`, body)).status);
  });

  it("a model by its provider's id is what its name is: open to a key for the name, and recorded under it", async () => {
    const id = "amazon.nova-lite-v1:0";
    const { key, id: keyId } = await make({ models: ["nova-lite"] });
    expect((await chat(key, { ...hello, model: id })).status).toBe(200);
    // A right to an id is none to the name it stands for.
    const other = await make({ models: [id] });
    expect((await chat(other.key, { ...hello, model: id })).status).toBe(403);
    const carol = await tokenFor(chain, "gateway", "carol");
    const { body: found } = await send(carol, `/audit/events?key_id=${keyId}`);
    expect((found.events as Body[]).map(({ model }) => model)).toEqual(["nova-lite"]);
  });

  it("the model of the path counts, not one that the body names beside it", async () => {
    const { key, id } = await make({ models: ["nova-lite"] });
    const body = { modelId: "claude-sonnet-4-5", model: "x", messages: [{ role: "user", content: [{ text: "Hi" }] }] };
    expect((await send(key, "/model/nova-lite/converse", body)).status).toBe(200);
    const carol = await tokenFor(chain, "gateway", "carol");
    const { body: found } = await send(carol, `/audit/events?key_id=${id}`);
    expect((found.events as Body[]).map(({ model }) => model)).toEqual(["nova-lite"]);
  });
});
