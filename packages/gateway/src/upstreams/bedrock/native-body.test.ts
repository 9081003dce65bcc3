import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startForwarding, testAws } from "../../forward-testing.ts";

let gateway: Awaited<ReturnType<typeof startForwarding>>;
let server: Server;
/** What Bedrock was sent, to the byte. */
let sent: string[] = [];

beforeAll(async () => {
  server = createServer(async (incoming, outgoing) => {
    sent.push(await text(incoming));
    const message = { role: "assistant", content: [{ text: "Hm." }] };
    outgoing.end(JSON.stringify({ output: { message }, stopReason: "end_turn", usage: {}, inputTokens: 1 }));
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const bedrockUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const litellm_params = { model: "bedrock/amazon.nova-lite-v1:0", ...testAws };
  gateway = await startForwarding({ bedrockUrl, models: [{ model_name: "nova", litellm_params }] });
});
afterAll(async () => {
  await gateway.close();
  server.close();
});
beforeEach(() => {
  sent = [];
});

async function post(operation: string, body: string): Promise<number> {
  const response = await fetch(`${gateway.url}/model/nova/${operation}`, { method: "POST", body });
  await response.arrayBuffer();
  return response.status;
}

const messages = '"messages":[{"role":"user","content":[{"text":"Hi"}]}]';

describe("who asks", () => {
  it.each([
    `{${messages},"requestMetadata":null}`,
    `{${messages},"requestMetadata":{"user":"bob"}}`,
    `{"requestMetadata":{"user":"bob"},${messages},"requestMetadata":null}`,
    `{${messages},"requestMetad\\u0061ta":null}`,
  ])("is said once, and by the gateway: %s", async (body) => {
    expect(await post("converse", body)).toBe(200);
    expect(sent[0]?.split('"requestMetadata"')).toHaveLength(2);
    expect(JSON.parse(String(sent[0])).requestMetadata).toMatchObject({ user: "alice" });
  });
});

describe.each(["converse", "invoke", "count-tokens"])("a body of %s", (operation) => {
  const image = (source: string) =>
    `"messages":[{"role":"user","content":[{"image":{"format":"png","source":${source}}}]}]`;
  const inS3 = image('{"s3Location":{"uri":"s3://secrets/a.png"}}');

  it("goes as its client wrote it", async () => {
    const body = `{ ${messages}, "seed": 12345678901234567890, "user": "Zo\\u00eb" }`;
    expect(await post(operation, body)).toBe(200);
    expect(sent[0]).toContain(body.slice(1));
  });

  it.each([
    `{${inS3},${messages}}`,
    `{${inS3.replace("uri", "\\u0075ri")},${messages}}`,
    `{${image('{"s3Location":{"uri":"s3://secrets/a.png","uri":"x"}}')}}`,
    `{${image('{"type":"url","url":"http://secrets/"}')},${messages}}`,
  ])("says nothing that was not looked at, which a reader of the first of two fields would read: %s", async (body) => {
    expect(await post(operation, body)).toBe(200);
    expect(sent[0]).not.toContain("secrets");
  });
});
