import { isObject } from "../body.ts";
import type { Translator } from "../translator.ts";
import { chatAnswer } from "./answer.ts";
import { chatConversation } from "./request.ts";
import { chatStream } from "./stream.ts";

/** OpenAI's Chat Completions, there and back. */
export const chatTranslator: Translator = {
  conversation: (body, _call, drops) => chatConversation(body, drops),
  answer: (answer, call, { id, created }) => chatAnswer(answer, { id: `chatcmpl-${id}`, created, model: call.model }),
  writer(call, { id, created }) {
    const options = call.body.stream_options;
    return chatStream(
      { id: `chatcmpl-${id}`, created, model: call.model },
      isObject(options) && options.include_usage === true,
    );
  },
};
