import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Rule, startBedrock } from "../../../../sandbox/src/bedrock/index.ts";
import { eventually, startForwarding, testAws } from "../../forward-testing.ts";

const look: Rule = (turn) => {
  if (turn.tools.length === 0) return undefined;
  const answered = turn.messages.at(-1)?.content.find((block) => block.toolResult !== undefined);
  if (answered !== undefined) return { text: `I saw ${answered.toolResult?.content[0]?.text}.` };
  return { reasoning: "Where?", text: "Let me look.", toolUses: [{ name: "look", input: { at: "sky" } }] };
};

const patch = '*** Begin Patch\n+"Hello" \\ \u{1F600}\n*** End Patch';
/** A coding agent's turn: a patch as free text and a call into a namespace, then what they gave. */
const work: Rule = (turn) => {
  if (!turn.tools.some(({ name }) => name === "apply_patch")) return undefined;
  const results = turn.messages.at(-1)?.content.flatMap(({ toolResult }) => toolResult?.content ?? []) ?? [];
  if (results.length > 0)
    return { text: `${turn.tools.length} tools gave ${results.map(({ text }) => text).join(", ")}.` };
  return {
    toolUses: [
      { name: "apply_patch", input: { input: patch } },
      { name: "agents__wait", input: {} },
    ],
  };
};

let bedrock: Awaited<ReturnType<typeof startBedrock>>;
let gateway: Awaited<ReturnType<typeof startForwarding>>;
let client: OpenAI;

beforeAll(async () => {
  bedrock = await startBedrock({ port: 0, eventDelayMs: 1, rules: [work, look], ...testAws });
  gateway = await startForwarding({
    bedrockUrl: bedrock.url,
    models: [
      { model_name: "claude", litellm_params: { model: "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0" } },
    ],
    router: { num_retries: 0 },
  });
  client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "none", maxRetries: 0 });
});
afterAll(async () => {
  await gateway.close();
  await bedrock.close();
});

const tools = [{ type: "function" as const, name: "look", parameters: { type: "object" }, strict: false }];

describe("the OpenAI SDK's Responses", () => {
  it("answers whole", async () => {
    const response = await client.responses.create({
      model: "claude",
      instructions: "Be brief.",
      input: "Hello there",
    });
    expect(response.output_text).toContain("Hello there");
    expect(response).toMatchObject({ object: "response", status: "completed", store: false });
    expect(response.usage?.total_tokens).toBe(
      (response.usage?.input_tokens ?? 0) + (response.usage?.output_tokens ?? 0),
    );
  });

  it("streams events in order and numbered, which join to the final response", async () => {
    const stream = client.responses.stream({ model: "claude", input: "Hello there" });
    const types: string[] = [];
    const numbers: number[] = [];
    for await (const event of stream) {
      types.push(event.type);
      numbers.push(event.sequence_number);
    }
    const final = await stream.finalResponse();
    expect(final.output_text).toContain("Hello there");
    expect(numbers).toEqual(numbers.map((_, index) => index));
    expect([...new Set(types)]).toEqual([
      "response.created",
      "response.in_progress",
      "response.output_item.added",
      "response.content_part.added",
      "response.output_text.delta",
      "response.output_text.done",
      "response.content_part.done",
      "response.output_item.done",
      "response.completed",
    ]);
  });

  it("calls tools, streamed, with thoughts that can be sent back", async () => {
    const stream = client.responses.stream({ model: "claude", input: "What is up?", tools });
    const asked = await stream.finalResponse();
    expect(asked.output.map((item) => item.type)).toEqual(["reasoning", "message", "function_call"]);
    const call = asked.output.find((item) => item.type === "function_call");
    expect(JSON.parse(call?.arguments ?? "")).toEqual({ at: "sky" });
    const input = [
      { role: "user" as const, content: "What is up?" },
      ...(asked.output as OpenAI.Responses.ResponseInputItem[]),
      { type: "function_call_output" as const, call_id: call?.call_id ?? "", output: "stars" },
    ];
    const answer = await client.responses.create({ model: "claude", input, tools });
    expect(answer.output_text).toBe("I saw stars.");
  });

  it.each([true, false])("serves a coding agent's tools, streamed: %s", async (stream) => {
    const wait = { type: "function" as const, name: "wait", parameters: { type: "object" }, strict: false };
    const body = {
      model: "claude",
      store: false,
      include: ["reasoning.encrypted_content" as const],
      parallel_tool_calls: true,
      tools: [
        { type: "custom" as const, name: "apply_patch", format: { type: "text" as const } },
        { type: "namespace" as const, name: "agents", description: "Other agents.", tools: [wait] },
        { type: "web_search" as const, external_web_access: false },
      ],
    };
    const answer = (input: OpenAI.Responses.ResponseInput) =>
      stream
        ? client.responses.stream({ ...body, input }).finalResponse()
        : client.responses.create({ ...body, input });
    const asked = await answer([{ role: "user", content: "Patch it." }]);
    expect(asked.output).toMatchObject([
      { type: "custom_tool_call", name: "apply_patch", input: patch },
      { type: "function_call", name: "wait", namespace: "agents", arguments: "{}" },
    ]);
    const [patched, waited] = asked.output;
    if (patched?.type !== "custom_tool_call" || waited?.type !== "function_call") throw new Error("no calls");
    const told = await answer([
      { role: "user", content: "Patch it." },
      ...(asked.output as OpenAI.Responses.ResponseInputItem[]),
      { type: "custom_tool_call_output", call_id: patched.call_id, output: "patched" },
      { type: "function_call_output", call_id: waited.call_id, output: "waited" },
    ]);
    expect(told.output_text).toBe("2 tools gave patched, waited.");
  });

  it("takes a picture", async () => {
    const image_url = "data:image/png;base64,iVBORw0KGgo=";
    const content = [
      { type: "input_text" as const, text: "What is this?" },
      { type: "input_image" as const, image_url, detail: "auto" as const },
    ];
    const response = await client.responses.create({ model: "claude", input: [{ role: "user", content }] });
    expect(response.output_text).toContain("What is this?");
  });

  it("says that it was cut short", async () => {
    const response = await client.responses.create({ model: "claude", input: "Hello there", max_output_tokens: 3 });
    expect(response).toMatchObject({ status: "incomplete", incomplete_details: { reason: "max_output_tokens" } });
  });

  it("refuses by name what needs a store", async () => {
    const refusal = client.responses.create({ model: "claude", input: "Hello", previous_response_id: "resp_1" });
    await expect(refusal).rejects.toMatchObject({
      status: 400,
      param: "previous_response_id",
      message: expect.stringContaining("store: false"),
    });
  });

  it("gets an error event when the provider fails in the middle", async () => {
    await fetch(`${bedrock.url}/sandbox/faults`, {
      method: "POST",
      body: JSON.stringify({ fault: "exception", after: 4 }),
    });
    const stream = await client.responses.create({ model: "claude", input: "Hello there", stream: true });
    const read = (async () => {
      for await (const _ of stream);
    })();
    await expect(read).rejects.toThrow(/failed while answering/);
    await eventually(() => gateway.settlements.at(-1)?.outcome === "error");
    expect(gateway.settlements.at(-1)).toMatchObject({ outcome: "error", errorCode: "upstream_failed" });
  });
});
