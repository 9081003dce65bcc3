import assert from "node:assert/strict";
import { Agent, OpenAIChatCompletionsModel, OpenAIResponsesModel, run, setTracingDisabled, tool } from "@openai/agents";
import OpenAI from "openai";
import { z } from "zod";
import * as use from "./checks.mjs";

setTracingDisabled(true);
const clientOf = (apiKey) => new OpenAI({ baseURL: `${use.gateway}/v1`, apiKey, maxRetries: 0 });
const ways = {
  "openai agents, chat": (token, model) => new OpenAIChatCompletionsModel(clientOf(token), model),
  "openai agents, responses": (token, model) => new OpenAIResponsesModel(clientOf(token), model),
};
const sparql = tool({
  name: use.toolName,
  description: use.toolDescription,
  parameters: use.toolSchema,
  execute: async (input) => use.runSparql(input),
});

function checksOf(way) {
  const model = way(use.alice, use.model);
  const agent = new Agent({ name: "Asker", instructions: use.system, model, tools: [sparql] });
  return {
    "answers, with usage": async () => {
      const { finalOutput, rawResponses } = await run(new Agent({ name: "Greeter", model }), use.hello);
      assert.match(finalOutput, new RegExp(use.standIn));
      assert.ok(rawResponses[0].usage.totalTokens > 0);
    },
    "runs a tool and hands its result back": async () => {
      assert.match((await run(agent, use.question)).finalOutput, new RegExp(use.director));
    },
    "runs a tool in a stream": async () => {
      const stream = await run(agent, use.question, { stream: true });
      const events = await Array.fromAsync(stream);
      await stream.completed;
      assert.ok(events.length > 3);
      assert.match(stream.finalOutput, new RegExp(use.director));
    },
    "goes on with what was said": async () => {
      const first = await run(agent, use.question);
      const next = [...first.history, { role: "user", content: use.question }];
      assert.match((await run(agent, next)).finalOutput, new RegExp(use.director));
    },
    "an answer of a given form": async () => {
      const outputType = z.object({ city: z.string(), people: z.number() });
      const { finalOutput } = await run(new Agent({ name: "Former", model, outputType }), use.hello);
      assert.deepEqual(Object.keys(finalOutput).sort(), ["city", "people"]);
    },
    "says why a person without a group is refused": async () => {
      const refused = new Agent({ name: "Refused", model: way(use.mallory, use.model) });
      assert.match(await use.refusalOf(() => run(refused, use.hello)), /group/);
    },
  };
}

for (const [name, way] of Object.entries(ways)) await use.runAll(name, checksOf(way));
