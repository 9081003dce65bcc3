import type { LlmCall } from "../call.ts";
import type { AnswerWriter } from "../upstreams/answer-stream.ts";
import type { JsonObject } from "./body.ts";
import type { Answer, Conversation } from "./conversation.ts";

/** What an answer is called and when it was made; the same in every chunk of a stream. */
export interface AnswerMeta {
  /** Unique part of the answer's id, without the dialect's prefix. */
  readonly id: string;
  /** Seconds since the epoch. */
  readonly created: number;
}

/** A dialect's half of a translation: its request into a conversation, and an answer into its own words. */
export interface Translator {
  /**
   * @param drops `drop_params`: what no model has words for is left out instead of refused
   * @throws GatewayError naming the field that cannot be said to another upstream
   */
  conversation(body: JsonObject, call: LlmCall<JsonObject>, drops: boolean): Conversation;
  answer(answer: Answer, call: LlmCall<JsonObject>, meta: AnswerMeta): string;
  writer(call: LlmCall<JsonObject>, meta: AnswerMeta): AnswerWriter;
}
