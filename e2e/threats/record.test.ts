import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Chain, startChain } from "../chain.ts";
import { type Forge, openForge } from "./forge.ts";
import { tokenFor } from "./people.ts";

let chain: Chain;
let forge: Forge;
let alice = "";
let carol = "";
beforeAll(async () => {
  chain = await startChain();
  forge = openForge(chain.dataDir);
  alice = await tokenFor(chain, "gateway", "alice");
  carol = await tokenFor(chain, "gateway", "carol");
});
afterAll(() => chain?.close());

const json = { "content-type": "application/json" };
const post = (path: string, token: string, body: string, headers: Record<string, string> = {}) =>
  fetch(chain.urls.gateway + path, {
    method: "POST",
    headers: { ...json, authorization: `Bearer ${token}`, ...headers },
    body,
  });
const get = (path: string, token = carol) =>
  fetch(chain.urls.gateway + path, { headers: { authorization: `Bearer ${token}` } });

/** Text that a database, a hash or a header might take for something else. Written as JSON writes it. */
const hostile = [
  ["half a surrogate pair", "\\ud800"],
  ["a null character", "a\\u0000b"],
  ["the other way round", "\\u202egpj.exe"],
  ["a quote and a comment", "'; DROP TABLE request_logs; --"],
  ["wildcards", "%_%"],
  ["a formula", "=cmd|' /C calc'!A0"],
  ["lines of their own", "a\\r\\nX-Evil: 1\\n{}"],
  ["an object's own names", "__proto__"],
  ["markup", "<script>alert(1)</script>"],
  ["a long one", "x".repeat(1_500)],
] as const;

describe("whatever a caller writes", () => {
  it.each(hostile)("%s as the model's name is refused, recorded, and no server error", async (_, text) => {
    const messages = [{ role: "user", content: "Hello" }];
    for (const path of ["/v1/chat/completions", "/v1/messages", "/v1/responses", "/v1/embeddings"]) {
      const rest = JSON.stringify({ messages, max_tokens: 5, input: "Hello" }).slice(1);
      const answer = await post(path, alice, `{"model":"${text}",${rest}`);
      expect([400, 403, 404]).toContain(answer.status);
    }
  });

  it.each(hostile)("%s in the attributes of a token, a tag or a header is no server error", async (_, text) => {
    const told = JSON.parse(`"${text}"`) as string;
    const token = forge.resign(alice, { claims: { email: told, name: told, groups: ["litellm-users", told] } });
    const body = `{"model":"nova-lite","max_tokens":5,"user":"${text}","messages":[{"role":"user","content":"${text}"}]}`;
    const printable = told.replace(/[^\x20-\x7e]/g, "?").slice(0, 500);
    const answer = await post("/v1/chat/completions", token, body, {
      "x-onbehalf-app": printable,
      "x-request-id": printable,
      traceparent: printable,
      "user-agent": printable,
    });
    expect([200, 400]).toContain(answer.status);
    await answer.text();
  });

  it.each(hostile)("%s as a filter of any list is no server error", async (_, text) => {
    const value = encodeURIComponent((JSON.parse(`"${text}"`) as string).toWellFormed());
    const lists = [
      `/audit/events?user=${value}&model=${value}`,
      `/audit/events?trace=${value}`,
      `/spend/logs?user_id=${value}`,
      `/spend/report?team_id=${value}&group_by=${value}`,
      `/key/list?user_id=${value}`,
      `/key/info?key=${value}`,
      `/user/info?user_id=${value}`,
      `/team/info?team_id=${value}`,
    ];
    for (const path of lists) expect((await get(path)).status, path).toBeLessThan(500);
  });

  it.each(["0000-01-01", "9999-12-31", "-271821-04-20", "2026-02-30", "1e999", "9".repeat(40)])(
    "%s as a time or a number is no server error",
    async (text) => {
      for (const path of [
        `/spend/logs?start_date=${text}&end_date=${text}`,
        `/audit/events?from=${text}&until=${text}`,
        `/audit/events?limit=${text}&offset=${text}`,
        `/key/list?page=${text}&size=${text}`,
      ]) {
        expect((await get(path)).status, path).toBeLessThan(500);
      }
    },
  );
});

describe("the record afterwards", () => {
  it("is proven intact, and holds the odd names in a form that every store can keep", async () => {
    const { events } = (await (await get("/audit/events?limit=1000")).json()) as { events: { model: string }[] };
    const names = events.map(({ model }) => model ?? "");
    expect(names.some((name) => name.includes("DROP TABLE"))).toBe(true);
    expect(names.filter((name) => name.includes("\0") || !name.isWellFormed())).toEqual([]);
    const { code, text } = await verify();
    expect(text).toMatch(/[1-9]\d\d rows .*: intact/);
    expect(code).toBe(0);
  });

  it("shows each caller only what is theirs, whatever they ask for", async () => {
    for (const filter of ["", "?user=carol@example.com", "?limit=1000&outcome=ok", "?format=jsonl"]) {
      const text = await (await get(`/audit/events${filter}`, alice)).text();
      expect(text).not.toContain('"subject":"carol"');
    }
    expect((await get("/user/info?user_id=carol@example.com", alice)).status).toBe(403);
    expect((await get("/key/list", alice)).status).toBe(403);
  });
});

/** `npm run -s audit:verify`, as an auditor runs it beside the service. */
async function verify(): Promise<{ code: number | null; text: string }> {
  const gateway = join(import.meta.dirname, "../../packages/gateway/src/cli.ts");
  const key = (await readFile(join(chain.dataDir, "gateway-master-key"), "utf8")).trim();
  const env = { ONBEHALF_DATA_DIR: chain.dataDir, LITELLM_MASTER_KEY: key, PATH: process.env.PATH ?? "" };
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [gateway, "audit", "verify"], { env });
    let text = "";
    child.stdout.on("data", (chunk) => {
      text += String(chunk);
    });
    child.stderr.on("data", (chunk) => {
      text += String(chunk);
    });
    child.on("close", (code) => resolve({ code, text }));
  });
}
