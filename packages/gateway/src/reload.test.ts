import { once } from "node:events";
import { rmSync } from "node:fs";
import { createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { issuers, masterKey, models, startTestGateway, type TestGateway } from "./testing/gateway.ts";

const yaml = (access: string) => `${issuers}${models}\naccess: ${access}\n`;
const open = yaml('{ groups: { users: { models: ["*"] } } }');
const shut = yaml("{ groups: { users: { models: [nova] } } }");

/** Ten times ten times ten times ten. */
const bomb = ["a", "b", "c", "d"]
  .map((name, at) => `${name}: &${name} [${Array(10).fill(at === 0 ? "1" : `*${"abcd"[at - 1]}`)}]`)
  .join("\n");

describe("hot reload", () => {
  let gateway: TestGateway;
  beforeEach(async () => {
    gateway = await startTestGateway({ yaml: open });
  });
  afterEach(() => gateway.close());

  test("the changed file is in force without a restart, by itself", async () => {
    const token = await gateway.token();
    expect((await gateway.chat(token)).status).toBe(200);
    gateway.writeConfig(shut);
    await vi.waitFor(async () => expect((await gateway.chat(token)).status).toBe(403), {
      timeout: 5_000,
      interval: 100,
    });
  });

  test.each([
    ["not YAML", "access: ["],
    ["an unknown key", `${open}\nacess: {}`],
    ["about an issuer that is no address", open.replace('"{issuer}"', "idp.example.com")],
    [
      "about keys at no web address",
      open.replace("audience:", 'public_key_url: "ftp://idp.example.com/keys"\n    audience:'),
    ],
    ["endless when it is unfolded", `${bomb}\n${open}`],
    ["a wrong value", open.replace('["*"]', "5")],
    ["a role nobody knows", open.replace('models: ["*"]', 'models: ["*"], role: king')],
  ])("a file that is %s leaves the old rules in force, and says why", async (_, broken) => {
    const token = await gateway.token();
    gateway.writeConfig(broken);
    await gateway.gateway.reload();
    expect((await gateway.chat(token)).status).toBe(200);
    expect(gateway.logs.text()).toContain("the rules before it stay in force");
  });

  test("a key that came with it is as secret as those before it, where a provider repeats it", async () => {
    const echo = createServer((incoming, outgoing) => {
      outgoing.writeHead(401, { "content-type": "application/json" });
      outgoing.end(JSON.stringify({ error: { message: `${incoming.headers.authorization?.slice(7)} is no key` } }));
    }).listen(0, "127.0.0.1");
    await once(echo, "listening");
    const api_base = `http://127.0.0.1:${(echo.address() as AddressInfo).port}`;
    const params = `{ model: openai/gpt-x, api_base: "${api_base}", api_key: plain-words-of-the-second-key }`;
    gateway.writeConfig(
      `${open.replace("model_list:", `model_list:\n  - { model_name: gpt, litellm_params: ${params} }`)}`,
    );
    await gateway.gateway.reload();
    const answer = await gateway.chat(await gateway.token(), { model: "gpt" });
    echo.close();
    expect(answer.status).toBe(502);
    expect(gateway.logs.text()).toContain("is no key");
    expect(gateway.logs.text() + answer.text).not.toContain("plain-words-of-the-second-key");
  });

  test("a missing file leaves them too", async () => {
    rmSync(gateway.configFile);
    await gateway.gateway.reload();
    expect((await gateway.chat(await gateway.token())).status).toBe(200);
  });

  test("who is no longer trusted is not let in by a key either; an administrator's key stays", async () => {
    const withKeys = yaml('{ groups: { users: { models: ["*"], routes: [llm_routes, "/key/*"] } } }');
    gateway.writeConfig(withKeys);
    await gateway.gateway.reload();
    const make = async (token: string) => (await gateway.call("/key/generate", { token, body: {} })).json.key;
    const [hers, ours] = [await make(await gateway.token()), await make(masterKey)];
    for (const key of [hers, ours]) expect((await gateway.chat(key)).status).toBe(200);
    gateway.writeConfig(withKeys.replace("{issuer}", "{issuer}/other"));
    await gateway.gateway.reload();
    const refused = await gateway.chat(hers);
    expect(refused.status).toBe(401);
    expect(refused.json.error.message).toMatch(/no longer trusted/);
    expect((await gateway.chat(ours)).status).toBe(200);
  });

  test("a running call ends under the rules it began with; the next one has the new ones", async () => {
    const token = await gateway.token();
    let release = (): void => {};
    gateway.upstream.before = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    const running = gateway.chat(token);
    await vi.waitFor(() => expect(gateway.upstream.calls).toHaveLength(1), 10_000);
    gateway.writeConfig(shut);
    await gateway.gateway.reload();
    expect((await gateway.chat(token)).status).toBe(403);
    release();
    expect((await running).status).toBe(200);
  });

  test("a request whose body is still coming ends under the rules it began with", async () => {
    const token = await gateway.token();
    // So that there are connections for the reload to close.
    expect((await gateway.chat(token)).status).toBe(200);
    const body = JSON.stringify({ model: "claude", messages: [{ role: "user", content: "Who is Bob?" }] });
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json", expect: "100-continue" };
    const asking = request({
      port: gateway.gateway.port,
      host: "127.0.0.1",
      method: "POST",
      path: "/v1/chat/completions",
      headers: { ...headers, "content-length": body.length },
    });
    asking.flushHeaders();
    // The server's "go on" says that it has the head, and that the body is waited for.
    await once(asking, "continue");
    gateway.writeConfig(shut);
    await gateway.gateway.reload();
    expect((await gateway.chat(token)).status).toBe(403);
    asking.end(body);
    const [answer] = (await once(asking, "response")) as [IncomingMessage];
    answer.resume();
    expect(answer.statusCode).toBe(200);
  });

  test("no request falls between old and new", async () => {
    const token = await gateway.token();
    const seen: number[] = [];
    let stop = false;
    const asking = Promise.all(
      Array.from({ length: 4 }, async () => {
        while (!stop) seen.push((await gateway.chat(token)).status);
      }),
    );
    for (let index = 0; index < 6; index += 1) {
      gateway.writeConfig(index % 2 === 0 ? shut : open);
      await gateway.gateway.reload();
      // Until the rules that were just read have answered.
      const [reached, wanted] = [seen.length, index % 2 === 0 ? 403 : 200];
      await vi.waitFor(() => expect(seen.slice(reached)).toContain(wanted), { timeout: 10_000, interval: 10 });
    }
    stop = true;
    await asking;
    expect(seen.filter((status) => status !== 200 && status !== 403)).toEqual([]);
  });

  test("counts go on over a reload", async () => {
    const limited = yaml('{ users: { "*": { rpm: 2 } } }');
    gateway.writeConfig(limited);
    await gateway.gateway.reload();
    const token = await gateway.token();
    expect([(await gateway.chat(token)).status, (await gateway.chat(token)).status]).toEqual([200, 200]);
    await gateway.gateway.reload();
    expect((await gateway.chat(token)).status).toBe(429);
  });
});

describe("shadow mode", () => {
  test("what would be refused is let through, logged and recorded; administration stays shut", async () => {
    const gateway = await startTestGateway({ yaml: yaml("{ enforce: false, groups: { users: { models: [nova] } } }") });
    try {
      const token = await gateway.token();
      expect((await gateway.chat(token)).status).toBe(200);
      expect((await gateway.call("/v1/models", { token })).json.data).toHaveLength(2);
      expect((await gateway.call("/key/generate", { token, body: {} })).status).toBe(403);
      const { json } = await gateway.call("/audit/events", { token });
      const row = json.events.find(({ route }: { route: string }) => route === "POST /v1/chat/completions");
      expect(row).toMatchObject({
        outcome: "ok",
        rule: "access.groups",
        detail: { would_refuse: { rule: "access.groups", reason: expect.stringContaining("not claude") } },
      });
      expect(gateway.logs.text()).toContain("would have refused");
      const explained = await gateway.call("/policy/explain", {
        token,
        body: { route: "POST /v1/chat/completions", model: "claude" },
      });
      expect(explained.json).toMatchObject({ allowed: false, enforced: false });
    } finally {
      await gateway.close();
    }
  });
});

describe("POST /policy/explain", () => {
  test("says what would be decided, by which rule, under which limits; of others to administrators only", async () => {
    const gateway = await startTestGateway({
      yaml: yaml(
        '{ groups: { users: { models: [claude], rpm: 60 }, admins: { models: ["*"], role: admin } }, users: { "*": { tpm: 1000 } }, models: { claude: { max_parallel: 4 } } }',
      ),
    });
    try {
      const token = await gateway.token();
      const ask = (body: object, as = token) => gateway.call("/policy/explain", { token: as, body });
      expect((await ask({ route: "/chat/completions", model: "claude" })).json).toEqual({
        allowed: true,
        rule: "default",
        reason: expect.any(String),
        enforced: true,
        route: "POST /v1/chat/completions",
        model: "claude",
        identity: { user_id: "alice@example.com", role: "standard", groups: ["users"], team_id: null },
        limits: [
          { name: "user alice@example.com", tpm: 1000 },
          { name: "group users", rpm: 60 },
          { name: "model claude", max_parallel: 4 },
        ],
      });
      expect((await ask({ route: "POST /v1/chat/completions", model: "nova" })).json).toMatchObject({
        allowed: false,
        rule: "access.groups",
        reason: expect.stringContaining("[claude], not nova"),
      });
      expect((await ask({ route: "POST /nowhere" })).json).toMatchObject({ allowed: false, rule: "default deny" });
      expect((await ask({ route: "/chat/completions", identity: { groups: ["admins"] } })).status).toBe(403);
      const other = await ask(
        { route: "POST /key/generate", identity: { user_id: "bob", groups: ["users"], role: "viewer" } },
        masterKey,
      );
      expect(other.json).toMatchObject({ allowed: false, rule: "role", identity: { user_id: "bob", role: "viewer" } });
      // Asking is not doing: an explanation costs no request of the limit.
      expect((await gateway.chat(token)).headers.get("x-ratelimit-remaining-requests")).toBe("59");
    } finally {
      await gateway.close();
    }
  });
});
