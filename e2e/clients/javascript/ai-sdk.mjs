import assert from "node:assert/strict";
import { createAmazonBedrock } from "@ai-sdk/amazon-bedrock";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { embedMany, generateText, isStepCount, Output, streamText, tool } from "ai";
import { z } from "zod";
import * as use from "./checks.mjs";

const baseURL = `${use.gateway}/v1`;
const openai = (apiKey) => createOpenAI({ baseURL, apiKey });
const ways = {
  "openai, chat": (token) => (model) => openai(token).chat(model),
  "openai, responses": (token) => (model) => openai(token)(model),
  "openai-compatible": (apiKey) =>
    createOpenAICompatible({ name: "onbehalf", baseURL, apiKey, includeUsage: true, supportsStructuredOutputs: true }),
  anthropic: (authToken) => createAnthropic({ baseURL, authToken }),
  "amazon-bedrock": (apiKey) => createAmazonBedrock({ baseURL: use.gateway, apiKey, region: "us-east-1" }),
};
const tools = {
  [use.toolName]: tool({
    description: use.toolDescription,
    inputSchema: use.toolSchema,
    execute: async (input) => use.runSparql(input),
  }),
};
/** Nothing is kept here between two calls, so the whole history has to be sent. */
const providerOptions = { openai: { store: false } };
const once = { maxRetries: 0, providerOptions };
const asked = { system: use.system, prompt: use.question, tools, stopWhen: isStepCount(3), ...once };

async function partsOf(stream) {
  const parts = await Array.fromAsync(stream.fullStream);
  const failed = parts.find(({ type }) => type === "error");
  if (failed !== undefined) throw failed.error;
  return parts;
}

function checksOf(way) {
  const model = way(use.alice)(use.model);
  const askedWith = (token, name) => () => generateText({ model: way(token)(name), prompt: use.hello, ...once });
  return {
    "answers, with usage": async () => {
      const { text, usage } = await generateText({ model, prompt: use.hello, ...once });
      assert.match(text, new RegExp(use.standIn));
      assert.ok(usage.inputTokens > 0 && usage.outputTokens > 0);
    },
    "streams the same answer, with the same usage": async () => {
      const whole = await generateText({ model, prompt: use.hello, ...once });
      const stream = streamText({ model, prompt: use.hello, ...once, onError() {} });
      const parts = await partsOf(stream);
      assert.ok(parts.filter(({ type }) => type === "text-delta").length > 3);
      assert.equal(await stream.text, whole.text);
      assert.equal((await stream.usage).outputTokens, whole.usage.outputTokens);
    },
    "runs a tool and hands its result back": async () => {
      const { text, steps } = await generateText({ model, ...asked });
      assert.equal(steps[0].toolCalls.length, 1);
      assert.match(text, new RegExp(use.director));
    },
    "runs a tool in a stream": async () => {
      const stream = streamText({ model, ...asked, onError() {} });
      await partsOf(stream);
      assert.match(await stream.text, new RegExp(use.director));
    },
    "an answer of a given form": async () => {
      const schema = z.object({ city: z.string(), people: z.number() });
      const { output } = await generateText({ model, prompt: use.hello, output: Output.object({ schema }), ...once });
      assert.deepEqual(Object.keys(output).sort(), ["city", "people"]);
    },
    "shows a picture": async () => {
      const picture = { type: "file", data: use.png, mediaType: "image/png" };
      const words = { type: "text", text: use.look };
      const [seen, unseen] = await Promise.all(
        [[words, picture], [words]].map((content) =>
          generateText({ model, messages: [{ role: "user", content }], ...once }),
        ),
      );
      assert.ok(seen.usage.inputTokens >= unseen.usage.inputTokens + use.pngTokens);
    },
    "says why a person without a group is refused": async () => {
      assert.match(await use.refusalOf(askedWith(use.mallory, use.model)), /group/);
    },
    "says that a model is not there": async () => {
      assert.match(await use.refusalOf(askedWith(use.alice, use.noModel)), new RegExp(use.noModel));
    },
  };
}

for (const [name, way] of Object.entries(ways)) await use.runAll(`ai-sdk ${name}`, checksOf(way));
await use.runAll("ai-sdk openai", {
  embeddings: async () => {
    const model = openai(use.bob).embedding(use.embeddingModel);
    const { embeddings } = await embedMany({ model, values: ["a cat", "a dog"], maxRetries: 0 });
    assert.deepEqual(
      embeddings.map(({ length }) => length),
      [1024, 1024],
    );
    assert.notDeepEqual(embeddings[0], embeddings[1]);
  },
});
