import { signIn } from "@onbehalf/sandbox/token";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Chain, startChain } from "./chain.ts";

let chain: Chain;
beforeAll(async () => {
  chain = await startChain();
});
afterAll(() => chain?.close());

const text = "Tell me about rivers.";
const model = "claude-sonnet-4-6";
const messages = [{ role: "user", content: text }];
const converse = { messages: [{ role: "user", content: [{ text }] }] };
const claude = { anthropic_version: "bedrock-2023-05-31", max_tokens: 50, messages };

/** nginx and what is built on it collect an answer until it is whole, unless the answer says not to. */
describe("an answer in parts asks proxies to pass each on at once", () => {
  it.each<[string, object]>([
    ["/v1/chat/completions", { model, messages, stream: true }],
    ["/v1/responses", { model, input: text, stream: true }],
    ["/v1/messages", { model, max_tokens: 50, messages, stream: true }],
    [`/model/${model}/converse-stream`, converse],
    ["/model/us.anthropic.claude-sonnet-4-6/converse-stream", converse],
    [`/model/${model}/invoke-with-response-stream`, claude],
  ])("the gateway's %s", async (path, body) => {
    const issuer = `${chain.urls.identityProvider}/oauth2/llm`;
    const { accessToken } = await signIn({ issuer, user: "bob", audience: "llm-gateway", scope: "openid llm-gateway" });
    const headers = { authorization: `Bearer ${accessToken}`, "content-type": "application/json" };
    const answer = await fetch(chain.urls.gateway + path, { method: "POST", headers, body: JSON.stringify(body) });
    expect([answer.status, answer.headers.get("x-accel-buffering")]).toEqual([200, "no"]);
    await answer.body?.cancel();
  });

  it("Launchpad's", async () => {
    const alice = chain.person();
    await alice.signIn("alice");
    const answer = await alice.post("/api/v1/voicebox/stream/ask", { query: "Who is Bob?" });
    expect([answer.status, answer.headers.get("x-accel-buffering")]).toEqual([200, "no"]);
    await answer.body?.cancel();
  });
});
