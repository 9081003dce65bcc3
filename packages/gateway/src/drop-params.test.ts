import { afterAll, beforeAll, expect, it } from "vitest";
import { startBedrock } from "../../sandbox/src/bedrock/index.ts";
import { startForwarding, testAws } from "./forward-testing.ts";

let bedrock: Awaited<ReturnType<typeof startBedrock>>;
let gateway: Awaited<ReturnType<typeof startForwarding>>;

const nova = "bedrock/amazon.nova-lite-v1:0";
const dead = { api_base: "http://127.0.0.1:1", order: 0 };

beforeAll(async () => {
  bedrock = await startBedrock({ port: 0, ...testAws });
  const model = (model_name: string, params: object) => ({ model_name, litellm_params: { model: nova, ...params } });
  gateway = await startForwarding({
    bedrockUrl: bedrock.url,
    models: [
      model("refusing", {}),
      model("dropping", { drop_params: true }),
      model("refusing-behind-dropping", { ...dead, drop_params: true }),
      model("refusing-behind-dropping", { order: 1 }),
    ],
    router: { num_retries: 0 },
  });
});
afterAll(async () => {
  await gateway.close();
  await bedrock.close();
});

async function ask(path: string, body: object): Promise<{ status: number; text: string }> {
  const answer = await fetch(gateway.url + path, { method: "POST", body: JSON.stringify(body) });
  return { status: answer.status, text: await answer.text() };
}
const chat = (model: string, more: object) =>
  ask("/v1/chat/completions", { model, messages: [{ role: "user", content: "Hello" }], ...more });

it.each([
  ["frequency_penalty", 0.5],
  ["presence_penalty", -1],
  ["logit_bias", { "50256": -100 }],
  ["logprobs", true],
  ["top_logprobs", 3],
  ["n", 2],
])(
  "a model without words for %s answers without it where drop_params is set; otherwise it is refused by name",
  async (name, value) => {
    expect((await chat("dropping", { [name]: value })).status).toBe(200);
    expect(await chat("refusing", { [name]: value })).toEqual({
      status: 400,
      text: expect.stringContaining(`'${name}'`),
    });
  },
);

it("token probabilities over Responses likewise", async () => {
  const responses = (model: string) => ask("/v1/responses", { model, input: "Hello", top_logprobs: 3 });
  expect((await responses("dropping")).status).toBe(200);
  expect(await responses("refusing")).toEqual({ status: 400, text: expect.stringContaining("'top_logprobs'") });
});

it("what would be another request is refused all the same", async () => {
  expect(await chat("dropping", { audio: { voice: "alloy" } })).toMatchObject({ status: 400 });
});

it("each of several deployments has its own word", async () => {
  expect((await chat("refusing-behind-dropping", {})).status).toBe(200);
  expect(await chat("refusing-behind-dropping", { n: 2 })).toMatchObject({ status: 400 });
});
