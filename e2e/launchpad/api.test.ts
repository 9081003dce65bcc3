import { createKey } from "@onbehalf/launchpad";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Stage, startStage } from "./stage.ts";

const keys = { demo: createKey(), open: createKey(), disabled: createKey(), expired: createKey(), off: createKey() };
const apps = `
apps:
  - id: demo
    name: Demo
    connection: demo
    database: demo
    model: people
    named_graphs: ["urn:graph:a"]
    reasoning: true
    default: true
    requests_per_minute: 100000
    keys:
      - { name: good, sha256: ${keys.demo.hash} }
      - { name: disabled, sha256: ${keys.disabled.hash}, disabled: true }
      - { name: expired, sha256: ${keys.expired.hash}, expires_at: "2020-01-01T00:00:00Z" }
  - id: open
    name: Key alone
    connection: demo
    database: demo
    modes: [app_key]
    origins: ["https://partner.example"]
    keys: [{ name: good, sha256: ${keys.open.hash} }]
  - id: off
    name: Off
    connection: demo
    database: demo
    disabled: true
    keys: [{ name: good, sha256: ${keys.off.hash} }]
  - id: narrow
    name: Narrow
    connection: demo
    database: demo
    requests_per_minute: 2
`;

let stage: Stage;
let alice: string;
beforeAll(async () => {
  stage = await startStage({
    apps,
    env: { API_AUTH_REQUIRED_SCOPES: "openid,profile", API_CORS_ORIGINS: "https://everywhere.example" },
  });
  alice = await stage.tokenOf("alice");
});
afterAll(() => stage?.close());

type Headers = Record<string, string>;
const full = (): Headers => ({
  authorization: `Bearer ${alice}`,
  "x-voicebox-app-key": keys.demo.key,
  "x-client-id": "test",
  "content-type": "application/json",
});
const without = (headers: Headers, ...names: string[]): Headers =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));
const ask = (headers: Headers, path = "ask", body: unknown = { message: "who am I?" }): Promise<Response> =>
  fetch(`${stage.publicUrl}/api/v1/voicebox/${path}`, { method: "POST", headers, body: JSON.stringify(body) });

describe("a user's token beside an application key", () => {
  it("asks on behalf of the user, with the application's data; message is another name for query", async () => {
    const answer = await ask(full());
    expect(await answer.json()).toMatchObject({ result: "You are **alice**." });
    const { identity, body } = stage.voicebox.received.at(-1) ?? {};
    expect(identity).toMatchObject({ subject: "alice", audience: ["voicebox"] });
    expect(body).toMatchObject({
      query: "who am I?",
      client_id: "test",
      app: {
        id: "demo",
        connection: "demo",
        database: "demo",
        model: "people",
        named_graphs: ["urn:graph:a"],
        reasoning: true,
      },
    });
  });

  it("takes the tokens of every configured issuer, and exchanges them at our own", async () => {
    const answer = await ask({ ...full(), authorization: `Bearer ${await stage.tokenOf("bob", "partner")}` });
    expect(await answer.json()).toMatchObject({ result: "You are **bob**." });
    expect(stage.voicebox.received.at(-1)?.identity.issuer).toBe(stage.provider().issuerUrl("default"));
  });

  it("never sends the user's own token on", async () => {
    await ask(full());
    for (const { token } of stage.voicebox.received) expect(token).not.toBe(alice);
  });

  it.each([
    ["the token without the key", ["x-voicebox-app-key"], 401],
    ["the key without the token", ["authorization"], 401],
    ["neither", ["authorization", "x-voicebox-app-key"], 401],
    ["no client id", ["x-client-id"], 400],
  ])("refuses %s", async (_, missing, status) => {
    expect((await ask(without(full(), ...missing))).status).toBe(status);
  });

  it("answers 401 with a challenge that names this resource's metadata", async () => {
    const answer = await ask(without(full(), "authorization"));
    const challenge = answer.headers.get("www-authenticate") ?? "";
    expect(challenge).toContain(`resource_metadata="${stage.publicUrl}/.well-known/oauth-protected-resource"`);
    expect(challenge).not.toContain("error=");
    const metadata = await (await fetch(`${stage.publicUrl}/.well-known/oauth-protected-resource`)).json();
    expect(metadata).toMatchObject({ resource: stage.publicUrl, scopes_supported: ["openid", "profile"] });
  });

  it.each([
    ["an unknown key", () => createKey().key, 401, "app_key_invalid"],
    ["something that is no key", () => "hello", 401, "app_key_invalid"],
    ["a stored hash as the key", () => keys.demo.hash, 401, "app_key_invalid"],
    ["a disabled key", () => keys.disabled.key, 403, "key_disabled"],
    ["an expired key", () => keys.expired.key, 403, "key_expired"],
    ["the key of a disabled application", () => keys.off.key, 403, "app_disabled"],
    ["a key of an application that takes no users", () => keys.open.key, 403, "mode_refused"],
  ])("refuses %s", async (_, key, status, error) => {
    const answer = await ask({ ...full(), "x-voicebox-app-key": key() });
    expect([answer.status, ((await answer.json()) as { error: string }).error]).toEqual([status, error]);
  });

  it.each([
    [
      "another audience",
      async () =>
        (await import("@onbehalf/sandbox/token")).signIn({
          issuer: stage.provider().issuerUrl("default"),
          user: "alice",
          audience: "voicebox",
          scope: "openid voicebox",
        }),
    ],
    [
      "an ID token",
      async () => ({
        accessToken:
          (
            await (
              await import("@onbehalf/sandbox/token")
            ).signIn({ issuer: stage.provider().issuerUrl("default"), user: "alice" })
          ).idToken ?? "",
      }),
    ],
  ])("refuses %s", async (_, token) => {
    const answer = await ask({ ...full(), authorization: `Bearer ${(await token()).accessToken}` });
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toContain('error="invalid_token"');
  });

  it("refuses a token without the required scopes, naming them", async () => {
    const { signIn } = await import("@onbehalf/sandbox/token");
    const issuer = stage.provider().issuerUrl("default");
    const { accessToken } = await signIn({ issuer, user: "alice", audience: "launchpad", scope: "openid" });
    const answer = await ask({ ...full(), authorization: `Bearer ${accessToken}` });
    expect(answer.status).toBe(403);
    expect(answer.headers.get("www-authenticate")).toMatch(/insufficient_scope.*profile/);
  });

  it.each([
    ["no JSON", "{", "not JSON"],
    ["no question", "{}", "query"],
    ["an empty question", '{"query": "  "}', "query"],
    ["a conversation that is none", '{"query": "x", "conversation_id": "1; drop"}', "conversation_id"],
  ])("says what is wrong with %s", async (_, body, word) => {
    const answer = await fetch(`${stage.publicUrl}/api/v1/voicebox/ask`, { method: "POST", headers: full(), body });
    expect(answer.status).toBe(400);
    expect(((await answer.json()) as { message: string }).message).toContain(word);
  });

  it("refuses a body that is too large", async () => {
    const answer = await ask(full(), "ask", { query: "x", padding: "y".repeat(300_000) });
    expect(answer.status).toBe(413);
  });

  it("says what the key is bound to", async () => {
    const answer = await fetch(`${stage.publicUrl}/api/v1/app`, { headers: full() });
    expect(await answer.json()).toEqual({
      id: "demo",
      name: "Demo",
      connection: "demo",
      database: "demo",
      model: "people",
      named_graphs: ["urn:graph:a"],
      reasoning: true,
    });
  });

  it("streams snapshots, each the whole so far, and closes the stream above when the client goes", async () => {
    const lines = (await (await ask(full(), "stream/ask")).text())
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { result: string; pending: boolean });
    expect(lines.map(({ pending }) => pending)).toEqual([true, true, false]);
    expect(lines.at(-1)?.result).toBe("You are **alice**.");

    stage.voicebox.behave((c) =>
      c.body(
        endless(() => (closed += 1)),
        200,
        { "content-type": "application/x-ndjson" },
      ),
    );
    let closed = 0;
    const controller = new AbortController();
    const url = `${stage.publicUrl}/api/v1/voicebox/stream/ask`;
    const answer = await fetch(url, {
      method: "POST",
      headers: full(),
      body: '{"query":"x"}',
      signal: controller.signal,
    });
    await answer.body?.getReader().read();
    controller.abort();
    await expect.poll(() => closed, { timeout: 5_000 }).toBe(1);
    stage.voicebox.behave(undefined);
  });

  it("ends a stream that breaks with a line that says so, keeping what was said", async () => {
    stage.voicebox.behave((c) => c.body(broken(), 200, { "content-type": "application/x-ndjson" }));
    const lines = (await (await ask(full(), "stream/ask")).text())
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.at(-1)).toMatchObject({ result: "half", pending: false, error: { error: "answer_broken_off" } });
    stage.voicebox.behave(undefined);
  });

  it.each([
    [403, "group_denied", "Your groups may not use this model; ask for litellm-users."],
    [429, "rate_limited", "Too many."],
    [504, "timeout", "Too late."],
  ])("passes a refusal from below on, in its words: %i", async (status, error, message) => {
    stage.voicebox.behave((c) => c.json({ error, message, request_id: "r" }, status as 403, { "retry-after": "7" }));
    const answer = await ask(full());
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ error, message });
    expect(answer.headers.get("retry-after")).toBe("7");
    stage.voicebox.behave(undefined);
  });

  it.each([
    ["HTML", (c: { html(text: string): Response }) => c.html("<h1>hello</h1>")],
    ["a list", (c: { json(value: unknown): Response }) => c.json([1])],
  ])("does not pass on an answer that is none: %s", async (_, behaviour) => {
    stage.voicebox.behave((c) => behaviour(c as never));
    expect((await ask(full())).status).toBe(502);
    stage.voicebox.behave(undefined);
  });

  it("drops a cached token that Voicebox refuses, exchanges once more, then gives up", async () => {
    await ask(full());
    const seen = new Set<string>();
    let asked = 0;
    stage.voicebox.behave((c, { token }) => {
      seen.add(token);
      asked += 1;
      return asked === 1
        ? c.json({ error: "invalid_token", message: "no" }, 401, { "www-authenticate": "Bearer" })
        : undefined;
    });
    expect((await ask(full())).status).toBe(200);
    expect([asked, seen.size]).toEqual([2, 2]);
    stage.voicebox.behave((c) => {
      asked += 1;
      return c.json({ error: "invalid_token", message: "no" }, 401, { "www-authenticate": "Bearer" });
    });
    asked = 0;
    expect((await ask({ ...full(), authorization: `Bearer ${await stage.tokenOf("carol")}` })).status).toBe(401);
    expect(asked).toBe(1);
    stage.voicebox.behave(undefined);
  });
});

describe("the key alone", () => {
  const alone = (key: string): Headers => ({
    authorization: `Bearer ${key}`,
    "x-client-id": "test",
    "content-type": "application/json",
  });

  it("asks for this service itself, where the application allows it", async () => {
    const answer = await ask(alone(keys.open.key));
    expect(answer.status).toBe(200);
    expect(stage.voicebox.received.at(-1)?.identity).toMatchObject({ kind: "app", clientId: "launchpad-backend" });
  });

  it("may come with a user's token where its clients have a place for one, and gets values as text, as they need", async () => {
    const graphs = [{ name: "people", iri: "urn:graph:a" }];
    const answer = {
      result: "x",
      conversation_id: null,
      message_id: null,
      actions: [{ type: "provenance", value: { graphs } }],
    };
    stage.voicebox.behave((c) => c.json(answer));
    const value = async (headers: Headers): Promise<unknown> => {
      const body = (await (await ask(headers)).json()) as { actions: { value: unknown }[] };
      return body.actions[0]?.value;
    };
    expect(await value({ ...alone(keys.demo.key), "x-sd-auth-token": alice })).toBe(JSON.stringify({ graphs }));
    expect(stage.voicebox.received.at(-1)?.identity).toMatchObject({ kind: "user", subject: "alice" });
    expect(await value(full())).toEqual({ graphs });
    stage.voicebox.behave(undefined);
    expect((await ask({ ...alone(keys.demo.key), "x-sd-auth-token": "no-token" })).status).toBe(401);
  });

  it("is refused where the application wants to know its user", async () => {
    const answer = await ask(alone(keys.demo.key));
    expect(answer.status).toBe(401);
    expect(await answer.json()).toMatchObject({ error: "user_token_required" });
  });
});

describe("pages of other sites", () => {
  const preflight = (origin: string): Promise<Response> =>
    fetch(`${stage.publicUrl}/api/v1/voicebox/ask`, {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "authorization" },
    });

  it.each(["https://everywhere.example", "https://partner.example"])("may ask from %s", async (origin) => {
    const answer = await preflight(origin);
    expect(answer.status).toBe(204);
    expect(answer.headers.get("access-control-allow-origin")).toBe(origin);
    expect(answer.headers.get("access-control-allow-credentials")).toBeNull();
  });

  it("may not from anywhere else, nor with another application's key", async () => {
    expect((await preflight("https://evil.example")).status).toBe(403);
    expect((await ask({ ...full(), origin: "https://evil.example" })).status).toBe(403);
    expect((await ask({ ...full(), origin: "https://partner.example" })).status).toBe(403);
    expect((await ask({ ...full(), origin: "https://everywhere.example" })).status).toBe(200);
  });
});

describe("limits", () => {
  it("counts an application's requests, names the limit and says when to come again", async () => {
    const person = stage.person();
    await person.signIn("bob");
    const askNarrow = () =>
      person.post("/api/v1/voicebox/ask", { query: "x" }, { headers: { "x-voicebox-app": "narrow" } });
    expect([(await askNarrow()).status, (await askNarrow()).status]).toEqual([200, 200]);
    const third = await askNarrow();
    expect(third.status).toBe(429);
    expect(Number(third.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    expect(((await third.json()) as { message: string }).message).toContain("application narrow");
    expect((await person.post("/api/v1/voicebox/ask", { query: "x" })).status).toBe(200);
  });
});

describe("what describes the API", () => {
  it("is OpenAPI 3.1, out of the schemas that validate", async () => {
    const document = (await (await fetch(`${stage.publicUrl}/api/v1/openapi.json`)).json()) as Record<string, never>;
    expect(document).toMatchObject({
      openapi: "3.1.0",
      components: {
        schemas: {
          AskRequest: {
            properties: { query: { maxLength: 8000 }, think_mode: { enum: ["standard", "lite", "fast"] } },
          },
        },
      },
    });
  });

  it("is a page under the content security policy, which loads nothing from elsewhere", async () => {
    const answer = await fetch(`${stage.publicUrl}/api/v1/docs`);
    const page = await answer.text();
    expect(answer.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(answer.headers.get("content-security-policy")).not.toContain("unsafe");
    expect(page).toContain("/api/v1/voicebox/stream/ask");
    expect(
      [...page.matchAll(/(?:src|href)="([^"]*)"/g)]
        .map(([, url]) => url)
        .filter((url) => /^https?:|^\/\//.test(url ?? "")),
    ).toEqual([]);
  });
});

function endless(onCancel: () => void): ReadableStream<Uint8Array> {
  const line = new TextEncoder().encode(`${JSON.stringify({ result: "…", actions: [], pending: true })}\n`);
  let isOpen = true;
  return new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      if (isOpen) controller.enqueue(line);
    },
    cancel() {
      isOpen = false;
      onCancel();
    },
  });
}

function broken(): ReadableStream<Uint8Array> {
  const line = new TextEncoder().encode(`${JSON.stringify({ result: "half", actions: [], pending: true })}\n`);
  let sent = false;
  return new ReadableStream({
    async pull(controller) {
      if (sent) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        controller.error(new Error("broken"));
        return;
      }
      sent = true;
      controller.enqueue(line);
    },
  });
}
