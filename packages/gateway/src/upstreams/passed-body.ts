import { isObject, type JsonObject, unsupported } from "../dialects/body.ts";
import type { Outgoing } from "./upstream.ts";

/** What the gateway decided by. */
const decided: ReadonlySet<string> = new Set([
  "model",
  "messages",
  "input",
  "stream",
  "stream_options",
  "include_usage",
  "n",
  "max_tokens",
  "max_completion_tokens",
]);

/**
 * The body for an upstream that speaks the client's language: the client's own bytes, which keep its numbers and its order,
 * unless something has to be said otherwise. What was decided here must be what the upstream reads. Some read a field by
 * any case of its letters (Go's encoding/json, and so Ollama), and of two fields of one name some read the first.
 * @param told the body in the upstream's words, the same object as `call.body` where nothing changes
 * @throws GatewayError `unsupported` naming a field that could be read as another
 */
export function passedBody({ call }: Outgoing, told: JsonObject): Uint8Array | string {
  refuseLookalikes(call.body);
  if (isObject(call.body.stream_options)) refuseLookalikes(call.body.stream_options);
  return told === call.body && isReadAlike(call.raw.body) ? call.raw.body : JSON.stringify(told);
}

function refuseLookalikes(body: JsonObject): void {
  for (const name in body) {
    if (!otherLetters.test(name)) continue;
    // Upper case first: it also folds the two letters outside of ASCII that Go folds, the long s and the Kelvin sign.
    const read = name.toUpperCase().toLowerCase();
    if (read !== name && decided.has(read)) throw unsupported(name, `some providers would read it as '${read}'.`);
  }
}

const otherLetters = /[^a-z0-9_]/;

/** Whether each of those names stands in the bytes once at most, and none of them in another spelling. */
function isReadAlike({ buffer, byteOffset, byteLength }: Uint8Array): boolean {
  const bytes = Buffer.from(buffer, byteOffset, byteLength);
  if (hasEscapedLetters(bytes)) return false;
  for (const name of quoted) {
    const first = bytes.indexOf(name);
    if (first >= 0 && bytes.indexOf(name, first + name.length) >= 0) return false;
  }
  return true;
}

/** Whether a name may be spelt otherwise than it reads. */
export function hasEscapedLetters(bytes: Buffer): boolean {
  return bytes.includes("\\u00") && escapedLetters.some((letter) => bytes.includes(letter));
}

/** `\u006d` is an m: those of ASCII begin so, and nobody has to escape them. */
const escapedLetters = ["\\u004", "\\u005", "\\u006", "\\u007"];
const quoted = [...decided].map((name) => `"${name}"`);
