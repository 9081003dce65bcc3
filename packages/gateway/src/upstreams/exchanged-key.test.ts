import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createTestIssuer, type TestIssuer } from "@onbehalf/shared-auth/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startForwarding } from "../forward-testing.ts";

let issuer: TestIssuer;
let seen: (string | undefined)[];
/** The server's answer to whoever asks: too many. */
let limited = false;
const closing: (() => Promise<void> | void)[] = [];

beforeEach(async () => {
  issuer = await createTestIssuer();
  seen = [];
  closing.push(() => issuer.close());
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A model server that remembers with which token it was called. */
async function modelServer(): Promise<string> {
  const server = createServer((incoming, outgoing) => {
    seen.push(incoming.headers.authorization);
    incoming.resume();
    if (limited) {
      outgoing.writeHead(429, { "content-type": "application/json", "retry-after": "60" }).end("{}");
      return;
    }
    outgoing.writeHead(200, { "content-type": "application/json" });
    outgoing.end(
      JSON.stringify({ choices: [{ index: 0, message: { role: "assistant", content: "Hi" }, finish_reason: "stop" }] }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function gatewayFor(caller: { token: string | undefined; subject: string }) {
  const token_exchange = {
    profile: "rfc8693" as const,
    issuer: issuer.issuer,
    client_id: "gateway",
    client_secret: "secret",
    audience: "model-server",
    scopes: ["model-server"],
  };
  const models = [
    { model_name: "m", litellm_params: { model: "openai/x", api_base: await modelServer(), token_exchange } },
  ];
  const expiresAt = Math.floor(Date.now() / 1000) + 3600;
  const gateway = await startForwarding({
    models,
    caller: { ...caller, userId: caller.subject, issuer: issuer.issuer, expiresAt },
    router: { num_retries: 0 },
  });
  closing.push(() => gateway.close());
  return () =>
    fetch(`${gateway.url}/v1/chat/completions`, {
      method: "POST",
      body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "Hi" }] }),
    });
}

describe("an upstream that knows the same users", () => {
  it("is called with a token for it in the user's name, exchanged once, and never with the user's own", async () => {
    const token = await issuer.mint({ sub: "alice", aud: "llm-gateway" });
    const ask = await gatewayFor({ token, subject: "alice" });
    expect((await ask()).status).toBe(200);
    expect((await ask()).status).toBe(200);
    expect(seen).toHaveLength(2);
    expect(seen[0]).toMatch(/^Bearer ey/);
    expect(seen[0]).not.toContain(token);
    const claims = JSON.parse(Buffer.from(seen[0]?.split(".")[1] ?? "", "base64url").toString());
    expect(claims).toMatchObject({ sub: "alice", aud: "model-server" });
    expect(issuer.hits("token")).toBe(1);
  });

  it("limits one user and no other: what it refuses in his name rests nobody else's calls", async () => {
    const ask = await gatewayFor({ token: await issuer.mint({ sub: "alice", aud: "llm-gateway" }), subject: "alice" });
    limited = true;
    expect((await ask().finally(() => (limited = false))).status).toBe(429);
    expect((await ask()).status).toBe(200);
  });

  it("is not called for a key that is nobody's", async () => {
    const ask = await gatewayFor({ token: undefined, subject: "key" });
    expect((await ask()).status).toBe(403);
    expect(seen).toEqual([]);
  });

  it.each([
    [400, { error: "invalid_grant" }, 401],
    [401, { error: "invalid_client" }, 502],
    [503, { error: "down" }, 503],
  ])(
    "is not called when the server answers the exchange with %i %j: the caller gets %i",
    async (status, body, expected) => {
      const ask = await gatewayFor({
        token: await issuer.mint({ sub: "alice", aud: "llm-gateway" }),
        subject: "alice",
      });
      issuer.answer("token", () => ({ status, body }));
      const answer = await ask();
      expect(answer.status).toBe(expected);
      expect(await answer.text()).not.toContain(body.error);
      expect(seen).toEqual([]);
    },
  );
});
