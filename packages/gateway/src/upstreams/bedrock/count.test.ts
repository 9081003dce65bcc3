import { afterAll, beforeAll, expect, it } from "vitest";
import { startForwarding } from "../../forward-testing.ts";
import { startUpstream, type TestUpstream } from "../../testing/upstream.ts";

let bedrock: TestUpstream;
let gateway: Awaited<ReturnType<typeof startForwarding>>;

beforeAll(async () => {
  bedrock = await startUpstream();
  bedrock.failure = { status: 200, body: { inputTokens: 7 } };
  gateway = await startForwarding({
    bedrockUrl: bedrock.url,
    models: [
      { model_name: "nova", litellm_params: { model: "bedrock/us.amazon.nova-lite-v1:0" } },
      { model_name: "llama", litellm_params: { model: "bedrock/meta.llama3-1-8b-instruct-v1:0" } },
    ],
  });
});
afterAll(async () => {
  await gateway.close();
  await bedrock.close();
});

it.each([
  ["nova", 1],
  ["llama", 0],
])("tokens are counted of what would be sent: %s takes %i of two cache marks", async (model, points) => {
  const cache_control = { type: "ephemeral" };
  const messages = [{ role: "user", content: [{ type: "text", text: "Hi", cache_control }] }];
  const tools = [{ name: "look", input_schema: { type: "object" }, cache_control }];
  const answer = await fetch(`${gateway.url}/v1/messages/count_tokens`, {
    method: "POST",
    body: JSON.stringify({ model, messages, tools }),
  });
  expect(await answer.json()).toEqual({ input_tokens: 7 });
  const body = bedrock.calls.at(-1)?.body;
  const toolSpec = { name: "look", inputSchema: { json: { type: "object" } } };
  expect(body).toMatchObject({ input: { converse: { toolConfig: { tools: [{ toolSpec }] } } } });
  expect(JSON.stringify(body).split("cachePoint")).toHaveLength(points + 1);
});
