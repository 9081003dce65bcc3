import type { Translator } from "../translator.ts";
import { responsesAnswer } from "./answer.ts";
import { asksToCompact, compactionStream } from "./compaction.ts";
import { responsesConversation } from "./request.ts";
import { responsesStream } from "./stream.ts";

/** OpenAI's Responses, there and back. */
export const responsesTranslator: Translator = {
  conversation: (body, _call, drops) => responsesConversation(body, drops),
  answer: (answer, { model, body }, meta) => responsesAnswer(answer, { ...meta, model, body }),
  writer({ model, body }, meta) {
    const writer = responsesStream({ ...meta, model, body });
    return asksToCompact(body) ? compactionStream(writer, meta.id) : writer;
  },
};
