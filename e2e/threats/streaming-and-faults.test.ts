import { connect } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Chain, startChain } from "../chain.ts";
import { tokenFor } from "./people.ts";

let chain: Chain;
let bob = "";
const crashes: unknown[] = [];
const heard = (error: unknown): void => void crashes.push(error);

beforeAll(async () => {
  process.on("unhandledRejection", heard);
  chain = await startChain();
  bob = await tokenFor(chain, "gateway", "bob");
});
afterEach(() => Promise.all([chain.urls.bedrock, chain.urls.identityProvider].map(clear)));
afterAll(async () => {
  await chain?.close();
  process.off("unhandledRejection", heard);
});

const json = { "content-type": "application/json" };
const fault = async (url: string, body: object): Promise<void> => {
  const answer = await fetch(`${url}/sandbox/faults`, { method: "POST", headers: json, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`the fault was refused: ${await answer.text()}`);
};
const clear = (url: string) => fetch(`${url}/sandbox/faults`, { method: "DELETE" });

const model = "claude-sonnet-4-5";
const messages = [{ role: "user", content: "Tell me a story" }];
const native = [{ role: "user", content: [{ text: "Tell me a story" }] }];
const whole = {
  chat: ["/v1/chat/completions", { model, max_tokens: 50, messages }],
  responses: ["/v1/responses", { model, input: "Tell me a story" }],
  messages: ["/v1/messages", { model, max_tokens: 50, messages }],
  converse: [`/model/${model}/converse`, { messages: native }],
} as const;
const streamed = {
  chat: ["/v1/chat/completions", { model, max_tokens: 50, messages, stream: true }],
  responses: ["/v1/responses", { model, input: "Tell me a story", stream: true }],
  messages: ["/v1/messages", { model, max_tokens: 50, messages, stream: true }],
  converse: [`/model/${model}/converse-stream`, { messages: native }],
} as const;

const ask = ([path, body]: readonly [string, object]) =>
  fetch(chain.urls.gateway + path, {
    method: "POST",
    headers: { ...json, authorization: `Bearer ${bob}` },
    body: JSON.stringify(body),
  });

/** Words of a library, of this machine, or of the upstream: none of them is for the caller. */
const inside = /\bat .*\.(ts|js):\d|node:|undici|SocketError|ECONN|AKIA|Signature=|localhost:\d|127\.0\.0\.1/;

describe("a fault of the model provider, whole and streamed, in every dialect", () => {
  it.each([
    ["throttle", [429]],
    ["not-ready", [503, 529]],
    ["unavailable", [503, 529]],
    ["error", [503, 529]],
    ["denied", [502]],
    ["drop", [503, 529]],
    ["encoding", [502]],
    ["garbage", [502]],
  ])("%s is answered in the dialect's own words", async (kind, expected) => {
    await fault(chain.urls.bedrock, { fault: kind, count: 200 });
    const answers = await Promise.all([...Object.values(whole), ...Object.values(streamed)].map(ask));
    for (const answer of answers) {
      const text = await answer.text();
      expect(expected).toContain(answer.status);
      expect(answer.headers.get("content-type")).toContain("application/json");
      expect(text).not.toMatch(inside);
      expect(JSON.parse(text)).toBeTypeOf("object");
    }
  });

  it.each(["cut", "end-early", "bad-crc", "exception"])("%s in mid-stream ends with an error event", async (kind) => {
    for (const request of [streamed.chat, streamed.responses, streamed.messages]) {
      await fault(chain.urls.bedrock, { fault: kind, after: 2 });
      const text = await (await ask(request)).text();
      expect(text).toMatch(/"error"/);
      expect(text).not.toContain("[DONE]");
      expect(text).not.toMatch(inside);
    }
  });

  it("leaves one row for each, none of them ok", async () => {
    const [since] = [new Date().toISOString()];
    await fault(chain.urls.bedrock, { fault: "cut", after: 2 });
    await (await ask(streamed.chat)).text();
    await fault(chain.urls.bedrock, { fault: "denied", count: 20 });
    await (await ask(whole.messages)).text();
    const query = `${chain.urls.gateway}/audit/events?from=${since}`;
    const found = await fetch(query, { headers: { authorization: `Bearer ${bob}` } });
    const { events } = (await found.json()) as { events: { outcome: string; route: string }[] };
    const llm = events.filter(({ route }) => route !== "GET /audit/events");
    expect(llm.map(({ outcome }) => outcome)).toEqual(["error", "error"]);
  });
});

describe("a fault of the identity provider at either exchange", () => {
  it.each([
    ["Voicebox", "llm", "token", { fault: "5xx", status: 503 }],
    ["Voicebox", "llm", "token", { fault: "429" }],
    ["Voicebox", "llm", "token", { fault: "drop" }],
    ["Launchpad", "default", "token", { fault: "5xx", status: 500 }],
  ])(
    "%s: %s %s %j is 503 with Retry-After, and nothing of what the server said",
    async (at, issuer, endpoint, kind) => {
      const user = at === "Voicebox" ? await tokenFor(chain, "voicebox") : await tokenFor(chain, "launchpad");
      await fault(chain.urls.identityProvider, { endpoint, issuer, count: 20, ...kind });
      const url = at === "Voicebox" ? chain.urls.voicebox : chain.urls.launchpad;
      const answer = await fetch(`${url}/api/v1/voicebox/ask`, {
        method: "POST",
        headers: {
          ...json,
          authorization: `Bearer ${user}`,
          ...(at === "Launchpad" ? { "x-voicebox-app-key": await chain.appKey(), "x-client-id": "faults" } : {}),
        },
        body: JSON.stringify({ query: "Who is Bob?" }),
      });
      const text = await answer.text();
      expect(answer.status).toBe(503);
      expect(Number(answer.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
      expect(text).not.toMatch(inside);
    },
  );
});

describe("callers who leave at any moment", () => {
  const cutOff = (url: string, path: string, token: string, body: object, bytes: number): Promise<void> =>
    new Promise((resolve) => {
      const text = JSON.stringify(body);
      const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n`;
      const all = `${head}Content-Length: ${text.length}\r\n\r\n${text}`;
      const socket = connect(Number(new URL(url).port), "127.0.0.1");
      socket.on("error", () => undefined).on("close", () => resolve());
      socket.write(all.slice(0, all.length - bytes), () => setTimeout(() => socket.resetAndDestroy(), bytes % 20));
    });

  it("harm nobody: no crash, no server error, the next one is served", async () => {
    const alice = await tokenFor(chain, "voicebox");
    const [path, body] = streamed.chat;
    const [other, message] = whole.messages;
    await Promise.all(
      Array.from({ length: 60 }, (_, at) => [
        cutOff(chain.urls.gateway, path, bob, body, at),
        cutOff(chain.urls.gateway, other, bob, message, at % 3),
        cutOff(chain.urls.voicebox, "/api/v1/voicebox/stream/ask", alice, { query: "Who is Bob?" }, at % 7),
      ]).flat(),
    );
    expect((await ask(whole.chat)).status).toBe(200);
    for (const url of [chain.urls.gateway, chain.urls.voicebox]) {
      expect((await fetch(`${url}/system/ready`)).status).toBe(200);
    }
    expect(crashes).toEqual([]);
    const failed = chain.logs().filter(({ level, msg }) => level === "fatal" || msg === "request failed");
    expect(failed.map(({ service, err }) => [service, err])).toEqual([]);
  });
});
