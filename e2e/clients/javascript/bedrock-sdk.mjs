import assert from "node:assert/strict";
import { AnthropicBedrock } from "@anthropic-ai/bedrock-sdk";
import * as use from "./checks.mjs";

const clientOf = (apiKey) =>
  new AnthropicBedrock({ baseURL: use.gateway, apiKey, awsRegion: "us-east-1", maxRetries: 0 });
const client = clientOf(use.alice);
const request = { model: use.model, max_tokens: 500, messages: [{ role: "user", content: use.hello }] };

await use.runAll("anthropic bedrock-sdk", {
  "answers, with usage": async () => {
    const { content, usage } = await client.messages.create(request);
    assert.match(content[0].text, new RegExp(use.standIn));
    assert.ok(usage.input_tokens > 0 && usage.output_tokens > 0);
  },
  "streams the same answer": async () => {
    const whole = await client.messages.create(request);
    const streamed = await client.messages.stream(request).finalMessage();
    assert.deepEqual(streamed.content, whole.content);
  },
  "says why a person without a group is refused": async () => {
    assert.match(await use.refusalOf(() => clientOf(use.mallory).messages.create(request)), /group/);
  },
  "says that a model is not there": async () => {
    const refusal = await use.refusalOf(() => client.messages.create({ ...request, model: use.noModel }));
    assert.match(refusal, new RegExp(use.noModel));
  },
});
