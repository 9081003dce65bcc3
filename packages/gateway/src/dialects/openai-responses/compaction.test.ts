import { describe, expect, it } from "vitest";
import type { LlmCall } from "../../call.ts";
import type { JsonObject } from "../body.ts";
import { responsesAnswer } from "./answer.ts";
import { responsesConversation } from "./request.ts";
import { responsesTranslator } from "./translator.ts";

const usage = { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 };
const look = { type: "function", name: "look", parameters: { type: "object" } };
const history = [
  { role: "user", content: "Hi" },
  { type: "function_call", call_id: "c1", name: "look", arguments: "{}" },
  { type: "function_call_output", call_id: "c1", output: "stars" },
];
/** As Codex asks for it near the end of the context window. */
const body: JsonObject = {
  model: "m",
  input: [...history, { type: "compaction_trigger" }],
  tools: [look, { type: "web_search" }],
  tool_choice: "required",
  text: { format: { type: "json_schema", name: "city", schema: { type: "object" } } },
};
const summary = { id: "cmp_x_0", type: "compaction", encrypted_content: expect.any(String) };

function streamed() {
  const stream = responsesTranslator.writer({ model: "m", body } as LlmCall<JsonObject>, { id: "x", created: 1 });
  stream.start();
  stream.reasoning(0, "Hm");
  stream.signature(0, "sig");
  stream.blockStop(0);
  stream.text(1, "They saw ");
  stream.text(1, "stars.");
  stream.blockStop(1);
  stream.toolStart(2, "c2", "look");
  stream.toolInput(2, "{}");
  stream.blockStop(2);
  stream.stop("end_turn");
  stream.usage(usage);
  stream.finish();
  const frames = String(stream.take()).split("\n\n").slice(0, -1);
  return frames.map((frame) => JSON.parse(frame.slice(frame.indexOf("data: ") + "data: ".length)));
}

describe("compaction of a context", () => {
  it("asks the model for a summary, without tools and without a form", () => {
    const { messages, tools, toolChoice, outputFormat } = responsesConversation(body);
    expect(messages.at(-1)?.content.at(-1)).toEqual({ text: expect.stringContaining("Sum up the conversation") });
    expect(tools).toMatchObject([
      { toolSpec: { name: "look", description: expect.stringContaining("do not call it") } },
    ]);
    expect([toolChoice, outputFormat]).toEqual([undefined, undefined]);
  });

  it("answers with one item, whole", () => {
    const reasoningContent = { reasoningText: { text: "Hm", signature: "sig" } };
    const content = [{ reasoningContent }, { text: "They saw " }, { text: "stars." }];
    const meta = { id: "x", created: 1, model: "m", body };
    const { output } = JSON.parse(responsesAnswer({ content, stopReason: "end_turn", usage }, meta));
    expect(output).toEqual([summary]);
  });

  it("answers with one item, streamed, which stands for the history from then on", () => {
    const events = streamed();
    expect(events.slice(2).map(({ type }) => type)).toEqual([
      "response.output_item.added",
      "response.output_item.done",
      "response.completed",
    ]);
    const { output } = events.at(-1).response;
    expect(output).toEqual([summary]);
    const { messages } = responsesConversation({ model: "m", input: [...output, { role: "user", content: "And?" }] });
    expect(messages).toEqual([
      { role: "user", content: [{ text: "Summary of the conversation so far:\n\nThey saw stars." }, { text: "And?" }] },
    ]);
  });

  it.each(["b3BlbmFp", "{}", undefined])("refuses an item of another provider: %s", (encrypted_content) => {
    const input = [{ type: "compaction", encrypted_content }, ...history];
    expect(() => responsesConversation({ model: "m", input })).toThrow(/'input\[0\].encrypted_content'.*its maker/);
  });

  it("is asked for at the end only", () => {
    const input = [{ type: "compaction_trigger" }, ...history];
    expect(() => responsesConversation({ model: "m", input })).toThrow(/'input\[0\].type'.*last item/);
  });
});
