import type { Translator } from "../translator.ts";
import { anthropicAnswer } from "./answer.ts";
import { messagesConversation } from "./request.ts";
import { anthropicStream } from "./stream.ts";

/** Anthropic's Messages, there and back. */
export const anthropicTranslator: Translator = {
  conversation: messagesConversation,
  answer: (answer, call, { id }) => anthropicAnswer(answer, `msg_${id}`, call.model),
  writer: (call, { id }) => anthropicStream(`msg_${id}`, call.model),
};
