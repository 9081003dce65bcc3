import { describe, expect, it } from "vitest";
import { GatewayError } from "../../errors.ts";
import type { JsonObject } from "../body.ts";
import { responsesStream } from "./stream.ts";

const tools = [
  { type: "function", name: "look", parameters: { type: "object" } },
  { type: "custom", name: "run" },
  { type: "namespace", name: "agents", description: "", tools: [{ type: "function", name: "spawn" }] },
  { type: "tool_search", execution: "client", parameters: { type: "object" } },
];

// biome-ignore lint/suspicious/noExplicitAny: the form of each event is what the tests find out; a type would only claim it
type Event = any;

function eventsOf(tell: (stream: ReturnType<typeof responsesStream>) => void, body: JsonObject = { tools }): Event[] {
  const stream = responsesStream({ id: "x", created: 1, model: "m", body });
  stream.start();
  tell(stream);
  const frames = String(stream.take()).split("\n\n").slice(0, -1);
  return frames.map((frame) => {
    const [event = "", data = ""] = frame.split("\n");
    const parsed = JSON.parse(data.slice("data: ".length));
    expect(event).toBe(`event: ${parsed.type}`);
    return parsed;
  });
}

function call(name: string, ...pieces: readonly string[]): Event[] {
  return eventsOf((stream) => {
    stream.toolStart(0, "call_1", name);
    for (const piece of pieces) stream.toolInput(0, piece);
    stream.blockStop(0);
    stream.stop("tool_use");
    stream.finish();
  });
}

describe("events of a streamed response", () => {
  it("are numbered, name their item and place, and repeat it whole", () => {
    const events = eventsOf((stream) => {
      stream.reasoning(0, "Hm");
      stream.signature(0, "sig");
      stream.blockStop(0);
      stream.redacted(1, "secret");
      stream.text(2, "Let ");
      stream.text(2, "me.");
      stream.blockStop(2);
      stream.toolStart(3, "call_1", "look");
      stream.toolInput(3, '{"at":');
      stream.toolInput(3, '"sky"}');
      stream.blockStop(3);
      stream.stop("tool_use");
      stream.usage({ inputTokens: 1, outputTokens: 2, cacheReadTokens: 3, cacheWriteTokens: 4, reasoningTokens: 1 });
      stream.finish();
    });
    expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, index) => index));
    const placed = events.slice(2, -1);
    expect(placed.map(({ output_index, type }) => `${output_index} ${type.slice("response.".length)}`)).toEqual([
      "0 output_item.added",
      "0 reasoning_summary_part.added",
      "0 reasoning_summary_text.delta",
      "0 reasoning_summary_text.done",
      "0 reasoning_summary_part.done",
      "0 output_item.done",
      "1 output_item.added",
      "1 output_item.done",
      "2 output_item.added",
      "2 content_part.added",
      "2 output_text.delta",
      "2 output_text.delta",
      "2 output_text.done",
      "2 content_part.done",
      "2 output_item.done",
      "3 output_item.added",
      "3 function_call_arguments.delta",
      "3 function_call_arguments.delta",
      "3 function_call_arguments.done",
      "3 output_item.done",
    ]);
    const ids = ["rs_x_0", "rs_x_1", "msg_x_2", "fc_x_3"];
    for (const { item_id, item, output_index } of placed) expect(item_id ?? item.id).toBe(ids[output_index]);
    const done = placed.filter(({ type }) => type === "response.output_item.done").map(({ item }) => item);
    const last = events.at(-1);
    expect(last).toMatchObject({ type: "response.completed", response: { status: "completed", output: done } });
    expect(last.response.usage).toEqual({
      input_tokens: 8,
      input_tokens_details: { cached_tokens: 3, cache_write_tokens: 4 },
      output_tokens: 2,
      output_tokens_details: { reasoning_tokens: 1 },
      total_tokens: 10,
    });
  });

  it("begin thoughts without anything that a client could send back", () => {
    const [added] = eventsOf((stream) => stream.reasoning(0, "Hm")).slice(2);
    expect(added.item).toEqual({ id: "rs_x_0", type: "reasoning", summary: [], encrypted_content: null });
  });

  it("tell a custom tool's text as it comes", () => {
    const events = call("run", '{"inp', 'ut":"a\\', 'n\\"b', '\\""}');
    expect(events.slice(2, -1)).toMatchObject([
      {
        type: "response.output_item.added",
        item: { id: "ctc_x_0", type: "custom_tool_call", call_id: "call_1", name: "run", input: "" },
      },
      { type: "response.custom_tool_call_input.delta", item_id: "ctc_x_0", output_index: 0, delta: "a" },
      { type: "response.custom_tool_call_input.delta", delta: '\n"b' },
      { type: "response.custom_tool_call_input.delta", delta: '"' },
      { type: "response.custom_tool_call_input.done", item_id: "ctc_x_0", input: 'a\n"b"' },
      { type: "response.output_item.done", item: { type: "custom_tool_call", input: 'a\n"b"' } },
    ]);
  });

  it("tell a custom tool's text at the end where the model wrote another form", () => {
    const events = call("run", '{"code":', '"a"}');
    const deltas = events.filter(({ type }) => type === "response.custom_tool_call_input.delta");
    expect(deltas.map(({ delta }) => delta)).toEqual(['{"code":"a"}']);
    expect(events.at(-2).item.input).toBe('{"code":"a"}');
  });

  it("name the tool of a namespace as the client declared it", () => {
    const { item } = call("agents__spawn", "{}").at(-2);
    expect(item).toMatchObject({ type: "function_call", name: "spawn", namespace: "agents" });
    expect(call("look", "{}").at(-2).item).not.toHaveProperty("namespace");
  });

  it("hand a search for tools to the client", () => {
    const { item } = call("tool_search", '{"query":"x"}').at(-2);
    expect(item).toEqual({
      id: "tsc_x_0",
      type: "tool_search_call",
      status: "completed",
      call_id: "call_1",
      execution: "client",
      arguments: { query: "x" },
    });
  });

  it.each([
    ["a call", "look", '{"a": "cut'],
    ["a custom tool's text", "run", '{"input":"cut'],
    ["a search for tools", "tool_search", '{"query":"cut'],
    ["a message", undefined, "cut"],
  ])("tell %s that was cut from those before it, which are whole", (_, tool, said) => {
    for (const reason of ["max_tokens", "guardrail_intervened"]) {
      const events = eventsOf((stream) => {
        stream.text(0, "Let me.");
        stream.blockStop(0);
        if (tool === undefined) stream.text(1, said);
        else {
          stream.toolStart(1, "call_1", tool);
          stream.toolInput(1, said);
        }
        stream.blockStop(1);
        stream.stop(reason);
        stream.finish();
      });
      const done = events.filter(({ type }) => type === "response.output_item.done").map(({ item }) => item);
      expect(done.map(({ status }) => status)).toEqual(["completed", "incomplete"]);
      expect(events.at(-1)).toMatchObject({
        type: "response.incomplete",
        response: { status: "incomplete", output: done },
      });
    }
  });

  it("end a block where it ends, though its end is told later", () => {
    const events = eventsOf((stream) => {
      stream.text(0, "One");
      stream.blockStop(0);
      stream.text(0, "Two");
      stream.stop("end_turn");
      stream.finish();
    });
    const texts = events.at(-1).response.output.map(({ content: [part] }: Event) => part.text);
    expect(texts).toEqual(["One", "Two"]);
  });

  it("say what failed twice: in the SDKs' words, and to clients that wait for the response's end", () => {
    const events = eventsOf((stream) => {
      stream.text(0, "One");
      stream.blockStop(0);
      stream.fail(new GatewayError("upstream_throttled", "Too many. Try again later."));
    });
    const error = { code: "rate_limit_exceeded", message: "Too many. Try again later.", param: null };
    expect(events.slice(-2)).toMatchObject([
      { type: "error", ...error, error: { ...error, type: "rate_limit_error" } },
      {
        type: "response.failed",
        response: {
          id: "resp_x",
          status: "failed",
          error: { code: "rate_limit_exceeded", message: error.message },
          output: [{ type: "message", content: [{ text: "One" }] }],
        },
      },
    ]);
    const failedCall = eventsOf((stream) => {
      stream.toolStart(0, "call_1", "look");
      stream.toolInput(0, '{"a": cut');
      stream.blockStop(0);
      stream.fail(new GatewayError("upstream_failed", "It broke."));
    });
    expect(failedCall.map(({ type }) => type)).not.toContain("response.output_item.done");
    const [last] = eventsOf((stream) => stream.fail(new GatewayError("upstream_failed", "It broke."))).slice(-1);
    expect(last.response.error).toEqual({ code: "server_error", message: "It broke." });
  });
});
