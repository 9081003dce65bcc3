import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chat, converse, messages, responses } from "../dialects/bodies-testing.ts";
import { startForwarding } from "../forward-testing.ts";
import { startProvider } from "./provider-testing.ts";

const models = {
  claude: "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
  nova: "bedrock/us.amazon.nova-2-lite-v1:0",
  titan: "bedrock/amazon.titan-embed-text-v2:0",
  openai: "openai/gpt-5",
  vllm: "hosted_vllm/qwen",
  ollama: "ollama/llama3",
  anthropic: "anthropic/claude-opus-4-6",
};

const bedrock = (operation: string) => (model: string) => `/model/${model}/${operation}`;
const routes: readonly (readonly [string, (model: string) => string, object])[] = [
  ["chat completions", () => "/v1/chat/completions", chat],
  ["Responses", () => "/v1/responses", responses],
  [
    "embeddings",
    () => "/v1/embeddings",
    { input: ["a", "b"], dimensions: 256, encoding_format: "base64", input_type: "x" },
  ],
  ["messages", () => "/v1/messages", messages],
  ["count_tokens", () => "/v1/messages/count_tokens", messages],
  ["converse", bedrock("converse"), converse],
  ["converse-stream", bedrock("converse-stream"), converse],
  [
    "invoke",
    bedrock("invoke"),
    { ...messages, anthropic_version: "2026-10-21", anthropic_beta: ["x"], inputText: "q" },
  ],
  [
    "invoke-with-response-stream",
    bedrock("invoke-with-response-stream"),
    { anthropic_version: "2026-10-21", ...messages },
  ],
  ["count-tokens", bedrock("count-tokens"), { input: { converse } }],
];

let provider: Awaited<ReturnType<typeof startProvider>>;
let gateway: Awaited<ReturnType<typeof startForwarding>>;

beforeAll(async () => {
  provider = await startProvider();
  const params = (model: string) => ({ model, api_base: provider.url, api_key: "own", drop_params: true });
  gateway = await startForwarding({
    bedrockUrl: provider.url,
    models: Object.entries(models).map(([model_name, model]) => ({ model_name, litellm_params: params(model) })),
    router: { num_retries: 0 },
  });
});
afterAll(async () => {
  await gateway.close();
  provider.close();
});

const nested = (levels: number): string => "[".repeat(levels) + "]".repeat(levels);
/** Stands for a list that is nested so deeply that no JSON can be made of it by the usual means. */
const deep = "(deep)";

/** What trips code that trusts its input. */
const odd = fc.oneof(
  fc.constantFrom<unknown>(null, "", "x", 0, -1, 1.5, 1e308, true, false, [], {}, [null], ["x"], [[]], [{}]),
  fc.constantFrom<unknown>("constructor", "__proto__", { constructor: 1 }, { toString: null }, "\ud800", { type: "x" }),
  fc.constantFrom<unknown>("data:constructor;base64,", deep, { a: deep }, `{"a":${nested(20_000)}}`),
  fc.jsonValue({ maxDepth: 3 }),
);

/** Every place in a body, as the names that lead there. */
function places(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([name, inner]) => places(inner, [...path, name]))];
}

/** The value with something else in one of its places, or nothing there. */
function changed(value: unknown, [name, ...rest]: readonly string[], to: unknown): unknown {
  if (name === undefined) return to;
  if (typeof value !== "object" || value === null) return value;
  const within = ([key, inner]: readonly [string, unknown]) => (key === name ? changed(inner, rest, to) : inner);
  if (Array.isArray(value)) return Object.entries(value).map(within);
  return Object.fromEntries(Object.entries(value).map((entry) => [entry[0], within(entry)]));
}

/** Bodies of which some parts are not what they should be, and some of which nothing is. */
function bodiesLike(whole: object): fc.Arbitrary<unknown> {
  const change = fc.tuple(fc.constantFrom(...places(whole)), fc.option(odd, { nil: undefined }));
  const changes = fc.tuple(fc.boolean(), fc.array(change, { maxLength: 3 }));
  return fc.oneof(
    {
      weight: 9,
      arbitrary: changes.map(([stream, all]) =>
        all.reduce<unknown>((body, one) => changed(body, ...one), { ...whole, stream }),
      ),
    },
    { weight: 1, arbitrary: fc.dictionary(fc.constantFrom(...Object.keys(whole)), odd) },
  );
}

async function statusOf(path: string, body: unknown): Promise<number> {
  const text = JSON.stringify(body ?? null).replaceAll(`"${deep}"`, nested(20_000));
  const response = await fetch(gateway.url + path, { method: "POST", body: text });
  await response.arrayBuffer();
  return response.status;
}

describe.each(routes)("no body whatsoever makes a failure of ours or the provider's: %s", (_, pathOf, base) => {
  it.each(Object.keys(models))("%s", async (model) => {
    const property = fc.asyncProperty(bodiesLike({ model, ...base }), async (body) => {
      expect(await statusOf(pathOf(model), body), String(gateway.failures.at(-1)?.cause)).toBeOneOf([
        200, 400, 404, 501,
      ]);
    });
    await fc.assert(property, { numRuns: 40 });
  });
});

it("nor does one break a stream", () => {
  expect(gateway.settlements.length).toBeGreaterThan(100);
  expect(gateway.settlements.filter(({ outcome }) => outcome !== "ok")).toEqual([]);
});
