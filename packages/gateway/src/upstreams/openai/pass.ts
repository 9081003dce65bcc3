import { isObject, type JsonObject } from "../../dialects/body.ts";
import { charactersPerToken } from "../../dialects/estimate.ts";
import { openaiErrorBody } from "../../dialects/openai-chat/error.ts";
import { createSseReader } from "../../streams/sse.ts";
import { malformedAnswer } from "../answer-stream.ts";
import { type Exchange, newProgress, type ResponseStream, type WholeAnswer } from "../exchange.ts";
import { eventError } from "../http-error.ts";
import { passedBody } from "../passed-body.ts";
import { passingStream } from "../passing-stream.ts";
import type { Outgoing } from "../upstream.ts";
import { chatUsageOf, countOf, stopReasonOf } from "./answer.ts";
import { isOllama, ollamaBody } from "./ollama.ts";

/** Chat completions to a server that speaks them: the bytes as they came, unless the model has another name there or Ollama other words. */
export function chatPass(outgoing: Outgoing): Exchange {
  const { call, deployment } = outgoing;
  const options = isObject(call.body.stream_options) ? call.body.stream_options : {};
  const asked = options.include_usage === true;
  const told = isOllama(deployment) ? ollamaBody(call.body) : call.body;
  const same = told === call.body && deployment.modelId === call.model && (!call.stream || asked);
  const changed = {
    ...told,
    model: deployment.modelId,
    // Asked for even when the client did not: the bill needs the count. It is kept from him again on the way back.
    ...(call.stream ? { stream_options: { ...options, include_usage: true } } : {}),
  };
  return {
    method: "POST",
    path: "/chat/completions",
    body: passedBody(outgoing, same ? call.body : changed),
    headers: { "content-type": "application/json", accept: call.stream ? "text/event-stream" : "application/json" },
    answer: passedAnswer,
    ...(call.stream ? { stream: () => passedStream(asked) } : {}),
  };
}

export function passedAnswer(body: Buffer): WholeAnswer {
  const parsed: unknown = JSON.parse(body.toString("utf8"));
  if (!isObject(parsed)) throw malformedAnswer("it is not an object");
  if (parsed.error != null && parsed.choices == null && parsed.data == null) throw eventError(body.toString("utf8"));
  return { body, ...countOf(parsed) };
}

function passedStream(asked: boolean): ResponseStream {
  const progress = newProgress();
  let done = false;
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
    // Clients wait for it, and some servers leave it out.
    close: () => (done ? "" : doneEvent),
    read: (write) =>
      createSseReader((_, data, raw) => {
        if (data.startsWith('{"error"')) progress.failure ??= eventError(data);
        else if (data === "[DONE]") {
          done = true;
          write(raw);
        } else if (data.includes('"finish_reason":null') && !data.includes('"usage":{')) {
          progress.characters += wordsIn(data);
          write(raw);
        } else {
          const event: unknown = JSON.parse(data);
          if (isObject(event) && event.error != null) progress.failure ??= eventError(data);
          else if (!isObject(event) || look(event)) {
            progress.characters += wordsIn(data);
            write(raw);
          }
        }
      }),
  });
}

const plainWords = '{"content":"';
const doneEvent = "data: [DONE]\n\n";

/** Characters of text, thought or arguments in a chunk, which is not parsed for them; at least a token's. */
function wordsIn(chunk: string): number {
  // Nearly every chunk; a brace is rare in it and found at once.
  const plain = chunk.indexOf(plainWords);
  let from = plain < 0 ? afterName(chunk, 'content":') : plain + plainWords.length;
  // Ollama says an empty text beside a call, and the whole call at once.
  if (from < 0 || chunk.charCodeAt(from) === quote) from = afterName(chunk, 'arguments":');
  if (from < 0) from = afterName(chunk, 'reasoning":');
  // Each chunk is a token or more.
  if (from < 0) return charactersPerToken;
  let end = chunk.indexOf('"', from);
  // A quote that is escaped ends nothing; one behind an escaped backslash is taken for such, which an estimate can bear.
  while (end > 0 && chunk.charCodeAt(end - 1) === backslash) end = chunk.indexOf('"', end + 1);
  return Math.max(charactersPerToken, end - from);
}

/** Where the text begins that has such a name, `null` being none; -1 without one. */
function afterName(chunk: string, name: string): number {
  let at = chunk.indexOf(name);
  if (at < 0) return -1;
  at += name.length;
  if (chunk.charCodeAt(at) === space) at += 1;
  return chunk.charCodeAt(at) === quote ? at + 1 : -1;
}

const [backslash, space, quote] = [92, 32, 34];
