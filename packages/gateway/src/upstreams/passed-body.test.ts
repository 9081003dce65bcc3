import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startForwarding } from "../forward-testing.ts";

let gateway: Awaited<ReturnType<typeof startForwarding>>;
let server: Server;
/** What the provider was sent, to the byte. */
let sent: string[] = [];

beforeAll(async () => {
  server = createServer(async (incoming, outgoing) => {
    const parts: Buffer[] = [];
    for await (const part of incoming) parts.push(part);
    sent.push(Buffer.concat(parts).toString("utf8"));
    const choices = [{ index: 0, message: { role: "assistant", content: "Hm." }, finish_reason: "stop" }];
    const content = [{ type: "text", text: "Hm." }];
    outgoing.writeHead(200, { "content-type": "application/json" });
    outgoing.end(JSON.stringify({ choices, content, role: "assistant", type: "message", data: [], usage: {} }));
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const api_base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const models = ["openai", "anthropic"].map((provider) => ({
    model_name: `${provider}-small`,
    litellm_params: { model: `${provider}/${provider}-small`, api_base, api_key: "none" },
  }));
  gateway = await startForwarding({ models, router: { num_retries: 0 } });
});
afterAll(async () => {
  await gateway.close();
  server.close();
});
beforeEach(() => {
  sent = [];
});

async function post(path: string, body: string) {
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${gateway.url}${path}`, { method: "POST", headers, body });
  return { status: response.status, text: await response.text() };
}

/** Routes whose bodies pass, and what makes one of them complete beside the model. */
const passing = [
  ["/v1/chat/completions", "openai-small", '"messages":[{"role":"user","content":"Hi"}]'],
  ["/v1/embeddings", "openai-small", '"input":"Hi"'],
  ["/v1/messages", "anthropic-small", '"max_tokens":9,"messages":[{"role":"user","content":"Hi"}]'],
] as const;

describe.each(passing)("a body that passes on %s", (path, model, rest) => {
  it("goes as its client wrote it", async () => {
    const body = `{ "model" : "${model}", ${rest}, "seed": 12345678901234567890, "user": "Zo\\u00eb" }`;
    expect((await post(path, body)).status).toBe(200);
    expect(sent).toEqual([body]);
  });

  it.each(["Model", "MODEL", "mode\\u004c", "STREAM", "Max_Tokens", "Max_To\\u212aens", "Me\\u017f\\u017fages", "N"])(
    "is refused where some would read %s as a field that was decided by",
    async (name) => {
      const answer = await post(path, `{"model":"${model}",${rest},"${name}":"big"}`);
      expect(answer.status).toBe(400);
      expect(JSON.parse(answer.text).error.message).toContain(`'${JSON.parse(`"${name}"`)}'`);
      expect(sent).toEqual([]);
    },
  );

  it("still may hold fields that nobody here knows", async () => {
    expect((await post(path, `{"model":"${model}",${rest},"repetitionPenalty":1.1,"Grammar":"x"}`)).status).toBe(200);
    expect(sent).toHaveLength(1);
  });

  it.each(["model", "\\u006dodel", "mod\\u0065l"])(
    "says each field once, where one is there twice, the first as %s",
    async (name) => {
      expect((await post(path, `{"${name}":"big","model":"${model}",${rest}}`)).status).toBe(200);
      expect(sent).toHaveLength(1);
      expect(sent[0]).not.toContain("big");
      expect(JSON.parse(String(sent[0])).model).toBe(model);
    },
  );
});

describe("the count that the bill needs, of a stream that passes", () => {
  const stream = (options: string) =>
    `{"model":"openai-small","messages":[{"role":"user","content":"Hi"}],"stream":true,${options}}`;

  it.each([
    '"stream_options":{"include_usage":false},"stream_options":{"include_usage":true}',
    '"stream_options":{"include_usage":false,"include_usage":true}',
  ])("is asked for once: %s", async (options) => {
    await post("/v1/chat/completions", stream(options));
    expect(sent[0]).toContain('"stream_options":{"include_usage":true}');
    expect(sent[0]).not.toContain("false");
  });

  it.each([
    ["Stream_Options", '"stream_options":{"include_usage":true},"Stream_Options":{"include_usage":false}'],
    ["Include_Usage", '"stream_options":{"include_usage":true,"Include_Usage":false}'],
  ])("is not taken back by %s", async (name, options) => {
    const answer = await post("/v1/chat/completions", stream(options));
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text).error.message).toContain(`'${name}'`);
  });
});
