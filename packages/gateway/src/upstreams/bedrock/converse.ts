import { remembered } from "../../remembered.ts";
import { joinStream } from "../answer-stream.ts";
import type { Exchange } from "../exchange.ts";
import type { Outgoing } from "../upstream.ts";
import { converseAnswer } from "./answer.ts";
import { familyOf } from "./family.ts";
import { requestMetadata } from "./metadata.ts";
import { converseReader } from "./reader.ts";
import { converseBody } from "./request.ts";

const jsonHeaders = { "content-type": "application/json", accept: "application/json" } as const;
const streamHeaders = { "content-type": "application/json", accept: "application/vnd.amazon.eventstream" } as const;

/** Any dialect's conversation through Converse. */
export function converseExchange(
  outgoing: Outgoing,
  translator: NonNullable<Outgoing["translator"]>,
  tellUser: boolean,
): Exchange {
  const { call, deployment, caller, meta } = outgoing;
  const conversation = outgoing.conversation();
  const metadata = tellUser ? requestMetadata(caller, conversation.metadata) : {};
  const guardrail = deployment.params.guardrailConfig;
  // Bytes at once: it is hashed and sent.
  const model = { id: deployment.modelId, family: familyOf(deployment.modelId), drops: deployment.drops };
  const body = Buffer.from(converseBody(conversation, model, metadata, guardrail));
  return {
    method: "POST",
    path: modelPath(deployment.modelId, call.stream ? "converse-stream" : "converse"),
    body,
    headers: call.stream ? streamHeaders : jsonHeaders,
    answer(bytes) {
      const answer = converseAnswer(bytes);
      return { body: translator.answer(answer, call, meta), usage: answer.usage, stopReason: answer.stopReason };
    },
    ...(call.stream ? { stream: () => joinStream(converseReader, translator.writer(call, meta)) } : {}),
  };
}

/** The id is one path segment: its colons and slashes are percent-encoded. */
export function modelPath(modelId: string, operation: string): string {
  return `/model/${encoded(modelId)}/${operation}`;
}

const encoded = remembered(512, encodeURIComponent);
