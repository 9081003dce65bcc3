import type { AnswerWriter } from "../../upstreams/answer-stream.ts";
import { isObject, type JsonObject, unsupported } from "../body.ts";
import type { Answer, ContentBlock } from "../conversation.ts";
import { createKept } from "./kept.ts";
import type { ResponsesWriter } from "./stream.ts";

/** What a model is asked where OpenAI would compact the context by itself. */
export const compactPrompt: ContentBlock = {
  text: "Sum up the conversation so far, for a colleague who carries it on with nothing but your summary: what was asked and why, what was decided and done, what was found out (names, paths, commands and figures word by word), what is still to be done. Answer with the summary alone, and call no tool.",
};

const heading = "Summary of the conversation so far:\n\n";

/** Whether the answer is to be the conversation made short: the last item of the input is a `compaction_trigger`. */
export function asksToCompact({ input }: JsonObject): boolean {
  const last: unknown = Array.isArray(input) ? input.at(-1) : undefined;
  return isObject(last) && last.type === "compaction_trigger";
}

/** OpenAI's is encrypted; this one is no secret to the client, whose conversation it is. */
function compactionItem(id: string, index: number, summary: string) {
  const encrypted_content = Buffer.from(JSON.stringify({ summary })).toString("base64");
  return { id: `cmp_${id}_${index}`, type: "compaction", encrypted_content };
}

/** @throws GatewayError when another provider made the item */
export function pastCompaction(item: JsonObject, path: string): ContentBlock {
  try {
    const kept: unknown = JSON.parse(Buffer.from(String(item.encrypted_content), "base64").toString("utf8"));
    if (isObject(kept) && typeof kept.summary === "string") return { text: heading + kept.summary };
  } catch {}
  throw unsupported(`${path}.encrypted_content`, "only its maker can read it. Send the items that it stands for.");
}

/** The output of a whole answer: its text as one item, without the thoughts that led to it. */
export function compacted(answer: Answer, id: string): readonly unknown[] {
  const summary = answer.content.map((block) => ("text" in block ? block.text : "")).join("");
  return summary === "" ? [] : [compactionItem(id, 0, summary)];
}

/** The events of a streamed one: the item comes at once, when it is whole. */
export function compactionStream(inner: ResponsesWriter, id: string): AnswerWriter {
  let summary = "";
  const kept = createKept();
  const nothing = (): void => {};
  return {
    ...inner,
    text(_, delta) {
      summary += kept(delta);
    },
    reasoning: nothing,
    signature: nothing,
    redacted: nothing,
    toolStart: nothing,
    toolInput: nothing,
    blockStop: nothing,
    stop(reason, sequence) {
      if (summary !== "") inner.whole((index) => compactionItem(id, index, summary));
      inner.stop(reason, sequence);
    },
  };
}
