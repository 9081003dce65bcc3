import { isObject, type JsonObject } from "../../dialects/body.ts";
import { openaiErrorBody } from "../../dialects/openai-chat/error.ts";
import { createSseReader } from "../../streams/sse.ts";
import { malformedAnswer } from "../answer-stream.ts";
import { type Exchange, newProgress, type ResponseStream, type WholeAnswer } from "../exchange.ts";
import { eventError } from "../http-error.ts";
import { passingStream } from "../passing-stream.ts";
import type { Outgoing } from "../upstream.ts";
import { chatUsageOf, stopReasonOf } from "./answer.ts";

/** Chat completions to a server that speaks them: the bytes as they came, unless the model has another name there. */
export function chatPass({ call, deployment }: Outgoing): Exchange {
  const options = isObject(call.body.stream_options) ? call.body.stream_options : {};
  const asked = options.include_usage === true;
  const same = deployment.modelId === call.model && (!call.stream || asked);
  const changed = {
    ...call.body,
    model: deployment.modelId,
    // Asked for even when the client did not: the bill needs the count. It is kept from him again on the way back.
    ...(call.stream ? { stream_options: { ...options, include_usage: true } } : {}),
  };
  return {
    method: "POST",
    path: "/chat/completions",
    body: same ? call.raw.body : JSON.stringify(changed),
    headers: { "content-type": "application/json", accept: call.stream ? "text/event-stream" : "application/json" },
    answer: passedAnswer,
    ...(call.stream ? { stream: () => passedStream(asked) } : {}),
  };
}

export function passedAnswer(body: Buffer): WholeAnswer {
  const parsed: unknown = JSON.parse(body.toString("utf8"));
  if (!isObject(parsed)) throw malformedAnswer("it is not an object");
  const choice: unknown = Array.isArray(parsed.choices) ? parsed.choices[0] : undefined;
  return {
    body,
    usage: chatUsageOf(parsed.usage),
    ...(isObject(choice) ? { stopReason: stopReasonOf(choice.finish_reason) } : {}),
  };
}

function passedStream(asked: boolean): ResponseStream {
  const progress = newProgress();
  const look = (event: JsonObject): boolean => {
    progress.usage = chatUsageOf(event.usage) ?? progress.usage;
    const choices = Array.isArray(event.choices) ? event.choices : [];
    const choice: unknown = choices[0];
    if (isObject(choice) && typeof choice.finish_reason === "string") {
      progress.stopReason = stopReasonOf(choice.finish_reason);
      progress.complete = true;
    }
    return asked || choices.length > 0;
  };
  return passingStream({
    progress,
    keepAlive: ": keep-alive\n\n",
    fail: (error) => `data: ${openaiErrorBody(error)}\n\n`,
    read: (write) =>
      createSseReader((_, data, raw) => {
        if (data.startsWith('{"error"')) progress.failure ??= eventError(data);
        else if (data === "[DONE]") write(raw);
        else if (data.includes('"finish_reason":null') && !data.includes('"usage":{')) {
          progress.characters += Math.max(0, data.length - chunkOverhead);
          write(raw);
        } else {
          const event: unknown = JSON.parse(data);
          if (isObject(event) && event.error != null) progress.failure ??= eventError(data);
          else if (!isObject(event) || look(event)) write(raw);
        }
      }),
  });
}

/** Characters of a chunk that are not its text. */
const chunkOverhead = 150;
