import assert from "node:assert/strict";
import { BedrockRuntimeClient } from "@aws-sdk/client-bedrock-runtime";
import { ChatAnthropic } from "@langchain/anthropic";
import { ChatBedrockConverse } from "@langchain/aws";
import { HumanMessage, SystemMessage, ToolMessage } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai";
import * as use from "./checks.mjs";

const configuration = { baseURL: `${use.gateway}/v1` };
const region = "us-east-1";
const ways = {
  "langchain openai": (apiKey, model) => new ChatOpenAI({ model, apiKey, maxRetries: 0, configuration }),
  "langchain openai, responses": (apiKey, model) =>
    new ChatOpenAI({ model, apiKey, maxRetries: 0, configuration, useResponsesApi: true }),
  "langchain anthropic": (apiKey, model) =>
    new ChatAnthropic({ model, apiKey, maxRetries: 0, maxTokens: 500, anthropicApiUrl: use.gateway }),
  "langchain aws": (token, model) => {
    const authSchemePreference = ["httpBearerAuth"];
    const client = new BedrockRuntimeClient({ endpoint: use.gateway, region, token: { token }, authSchemePreference });
    return new ChatBedrockConverse({ model, region, client, maxRetries: 0 });
  },
};
const sparql = tool(async (input) => use.runSparql(input), {
  name: use.toolName,
  description: use.toolDescription,
  schema: use.toolSchema,
});
const asked = [new SystemMessage(use.system), new HumanMessage(use.question)];

function whole(chunks) {
  return chunks.reduce((all, chunk) => all.concat(chunk));
}

function checksOf(way) {
  const model = way(use.alice, use.model);
  return {
    "answers, with usage": async () => {
      const answer = await model.invoke(use.hello);
      assert.match(answer.text, new RegExp(use.standIn));
      assert.ok(answer.usage_metadata.total_tokens > 0);
    },
    "streams the same answer, with the same usage": async () => {
      const answer = await model.invoke(use.hello);
      const chunks = await Array.fromAsync(await model.stream(use.hello));
      assert.ok(chunks.length > 3);
      assert.equal(whole(chunks).text, answer.text);
      // Of Anthropic's stream it adds the one token that `message_start` has counted to those of the end.
      const added = whole(chunks).usage_metadata.output_tokens - answer.usage_metadata.output_tokens;
      assert.ok(added === 0 || (added === 1 && model instanceof ChatAnthropic), `${added} tokens more`);
    },
    "runs a tool and hands its result back": async () => {
      const bound = model.bindTools([sparql]);
      const answer = await bound.invoke(asked);
      const [call] = answer.tool_calls;
      const result = new ToolMessage({ content: await sparql.invoke(call.args), tool_call_id: call.id });
      assert.match((await bound.invoke([...asked, answer, result])).text, new RegExp(use.director));
    },
    "runs a tool in a stream": async () => {
      const [call] = whole(await Array.fromAsync(await model.bindTools([sparql]).stream(asked))).tool_calls;
      assert.match(await sparql.invoke(call.args), new RegExp(use.director));
    },
    "shows a picture": async () => {
      const picture = { type: "image_url", image_url: { url: `data:image/png;base64,${use.png.toString("base64")}` } };
      const words = { type: "text", text: use.look };
      const [seen, unseen] = await Promise.all(
        [[words, picture], [words]].map((content) => model.invoke([new HumanMessage({ content })])),
      );
      assert.ok(seen.usage_metadata.input_tokens >= unseen.usage_metadata.input_tokens + use.pngTokens);
    },
    "says why a person without a group is refused": async () => {
      assert.match(await use.refusalOf(() => way(use.mallory, use.model).invoke(use.hello)), /group/);
    },
    "says that a model is not there": async () => {
      const refusal = await use.refusalOf(() => way(use.alice, use.noModel).invoke(use.hello));
      assert.match(refusal, new RegExp(use.noModel));
    },
  };
}

for (const [name, way] of Object.entries(ways)) await use.runAll(name, checksOf(way));
await use.runAll("langchain openai", {
  embeddings: async () => {
    const embedder = new OpenAIEmbeddings({ model: use.embeddingModel, apiKey: use.bob, configuration });
    const vectors = await embedder.embedDocuments(["a cat", "a dog"]);
    assert.deepEqual(
      vectors.map(({ length }) => length),
      [1024, 1024],
    );
    assert.notDeepEqual(vectors[0], vectors[1]);
  },
});
