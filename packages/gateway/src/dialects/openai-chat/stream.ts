import type { Usage } from "../../call.ts";
import type { GatewayError } from "../../errors.ts";
import type { AnswerWriter } from "../../upstreams/answer-stream.ts";
import { type ChatMeta, chatUsage, finishReason, stopDetail } from "./answer.ts";
import { openaiErrorBody } from "./error.ts";

/** For every stream of server-sent events, whoever made it. */
export const eventStreamHeaders = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache",
  // Reverse proxies that buffer would turn a stream into one late answer.
  "x-accel-buffering": "no",
} as const;

/**
 * Chat-completion chunks. Everything that is the same in each chunk is put together once; a word costs one
 * JSON.stringify of the word.
 *
 * The first chunk waits for what the answer begins with, because its `content` tells: `""` before text, `null` before
 * anything else. Clients make an empty text part of a `""` that no text follows.
 */
export function chatStream(meta: ChatMeta, includeUsage: boolean): AnswerWriter {
  const head = `data: {"id":${JSON.stringify(meta.id)},"object":"chat.completion.chunk","created":${meta.created},"model":${JSON.stringify(meta.model)},"choices":[`;
  const tail = includeUsage ? `],"usage":null}\n\n` : "]}\n\n";
  const textHead = `${head}{"index":0,"delta":{"content":`;
  const deltaTail = `},"logprobs":null,"finish_reason":null}${tail}`;
  const toolIndex = new Map<number, number>();
  let out = "";
  let begun = false;
  let usage: Usage | undefined;
  let thinkingBlocks = 0;
  let [thought, signature] = ["", ""];

  const delta = (fields: unknown): void => {
    out += `${head}{"index":0,"delta":${JSON.stringify(fields)},"logprobs":null,"finish_reason":null}${tail}`;
  };
  const begin = (content: "" | null): void => {
    begun = true;
    delta({ role: "assistant", content, refusal: null });
  };
  /**
   * Once, when the block is whole: OpenAI's own accumulators do not join fields they do not know. The newest value wins
   * in JavaScript, and Python's joins entries by their `index` and refuses those that have none. LiteLLM passes over a
   * chunk that has `thinking_blocks` alone.
   */
  const thinkingBlock = (block: Readonly<Record<string, string>>): void => {
    if (!begun) begin(null);
    delta({ reasoning_content: "", thinking_blocks: [{ index: thinkingBlocks, ...block }] });
    thinkingBlocks += 1;
  };
  /** A proof comes in any number of parts; told with each of them, a thought would be told as often. */
  const endThought = (): void => {
    if (signature !== "") thinkingBlock({ type: "thinking", thinking: thought, signature });
    [thought, signature] = ["", ""];
  };
  return {
    headers: eventStreamHeaders,
    keepAlive: ": keep-alive\n\n",
    start() {},
    text(_, text) {
      if (!begun) begin("");
      out += `${textHead}${JSON.stringify(text)}${deltaTail}`;
    },
    reasoning(_, text) {
      if (!begun) begin(null);
      thought += text;
      delta({ reasoning_content: text });
    },
    signature(_, more) {
      signature += more;
    },
    redacted: (_, data) => thinkingBlock({ type: "redacted_thinking", data }),
    toolStart(block, id, name) {
      if (!begun) begin(null);
      const index = toolIndex.size;
      toolIndex.set(block, index);
      delta({ tool_calls: [{ index, id, type: "function", function: { name, arguments: "" } }] });
    },
    toolInput(block, json) {
      delta({ tool_calls: [{ index: toolIndex.get(block) ?? 0, function: { arguments: json } }] });
    },
    blockStop: endThought,
    stop(reason, sequence) {
      endThought();
      if (!begun) begin("");
      const detail = stopDetail(reason, sequence);
      const choice = { index: 0, delta: {}, logprobs: null, finish_reason: finishReason(reason) };
      out += `${head}${JSON.stringify(detail === null ? choice : { ...choice, stop_reason: detail })}${tail}`;
    },
    usage(counted) {
      usage = counted;
    },
    finish() {
      if (includeUsage && usage !== undefined) out += `${head}],"usage":${JSON.stringify(chatUsage(usage))}}\n\n`;
      out += "data: [DONE]\n\n";
    },
    // No [DONE]: an SDK that sees it would take the answer for whole.
    fail(error: GatewayError) {
      out += `data: ${openaiErrorBody(error)}\n\n`;
    },
    take() {
      const written = out;
      out = "";
      return written;
    },
  };
}
