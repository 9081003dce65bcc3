import { hash } from "node:crypto";
import type { CallerTag } from "../../call.ts";

/** AWS allows 16 entries of at most 256 characters from this set. Its pattern says `\s`, which there is ASCII's blanks alone. */
const allowed = /^[a-zA-Z0-9 \t\n\v\f\r:_@$#=/+,.-]{0,256}$/;
const maxEntries = 16;
const maxLength = 256;

/**
 * Converse `requestMetadata`: who asked, from verified claims, then what the client sent for itself as far as AWS takes
 * it. The gateway's own names win.
 */
export function requestMetadata(
  caller: CallerTag,
  client: Readonly<Record<string, string>> | undefined,
): Record<string, string> {
  const metadata: Record<string, string> = {
    user: carried(caller.userId),
    trace_id: carried(caller.traceId),
    ...(caller.teamId === undefined ? {} : { team: carried(caller.teamId) }),
    ...(caller.clientId === undefined ? {} : { client: carried(caller.clientId) }),
  };
  if (client === undefined) return metadata;
  for (const [name, value] of Object.entries(client)) {
    if (Object.keys(metadata).length >= maxEntries) break;
    if (name === "" || name in metadata || !allowed.test(name) || !allowed.test(value)) continue;
    metadata[name] = value;
  }
  return metadata;
}

/**
 * A value in AWS's characters, reversibly: every other byte (and `=`) becomes `=XX`, so two users never become one.
 * What is too long becomes a digest.
 */
export function carried(value: string): string {
  const text = /^[a-zA-Z0-9 :_@$#/+,.-]*$/.test(value) ? value : escapeBytes(value);
  return text.length <= maxLength ? text : `sha256=3A${hash("sha256", value, "hex")}`;
}

function escapeBytes(value: string): string {
  let text = "";
  for (const byte of Buffer.from(value)) {
    const character = String.fromCharCode(byte);
    text += /[a-zA-Z0-9 :_@$#/+,.-]/.test(character)
      ? character
      : `=${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return text;
}
