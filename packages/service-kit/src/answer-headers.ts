import type { ServerResponse } from "node:http";

const kept = Symbol("headers of the answer");

interface Keeper {
  [kept]?: Record<string, string>;
}

/**
 * What an answer carries whoever writes it, for example its request id. Kept beside Node's own answer until its head is
 * written: set one by one there, each header is checked and filed twice, and the head is then put together the slow way.
 */
export function keepAnswerHeader(outgoing: ServerResponse, name: string, value: string): void {
  const keeper = outgoing as Keeper;
  keeper[kept] ??= {};
  keeper[kept][name] = value;
}

/** For whoever writes a head: `outgoing.writeHead(status, { ...answerHeaders(outgoing), ...own })`. */
export function answerHeaders(outgoing: ServerResponse): Readonly<Record<string, string>> {
  return (outgoing as Keeper)[kept] ?? none;
}

const none: Readonly<Record<string, string>> = {};

/** For an answer whose head is written by somebody who knows nothing of them; what he writes wins. */
export function applyAnswerHeaders(outgoing: ServerResponse): void {
  const headers = answerHeaders(outgoing);
  for (const name in headers) outgoing.setHeader(name, headers[name] ?? "");
}
