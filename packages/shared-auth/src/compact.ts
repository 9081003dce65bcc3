import { isAscii } from "node:buffer";
import { AuthError } from "./errors.ts";

/** A JWS in compact form, taken apart but not yet believed. */
export interface CompactToken {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Record<string, unknown>;
}

/** Characters. Header lines are cut at 16 KB by Node itself, so a longer token never arrives as one. */
export const MAX_TOKEN_LENGTH = 16_384;

const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Takes a compact JWS (RFC 7515 section 3.1) apart: three parts, each in the one canonical base64url spelling, header
 * and claims being JSON objects in UTF-8. Anything else is refused before a key is looked up.
 * @throws AuthError `token_malformed`
 */
export function parseCompact(token: string): CompactToken {
  requireTokenText(token);
  const parts = token.split(".", 4);
  const [header, claims, signature] = parts;
  if (parts.length !== 3 || !header || !claims || !signature) throw malformed("not three non-empty parts");
  if (!isCanonical(signature)) throw malformed("signature is not canonical base64url");
  return { header: parsePart(header, "header"), claims: parsePart(claims, "claims") };
}

/** Before anything is done with a token, hashing it included. */
export function requireTokenText(token: string): void {
  if (typeof token !== "string" || token.length > MAX_TOKEN_LENGTH)
    throw malformed("not a string of acceptable length");
}

/** One refusal for everything before the signature: what exactly was wrong is for the log only. */
export function malformed(reason: string, cause?: unknown): AuthError {
  return new AuthError("token_malformed", UNVERIFIED, { cause: cause ?? new Error(`Token refused: ${reason}.`) });
}

/** Said for every refusal that comes before a good signature, so that a forger learns nothing from it. */
export const UNVERIFIED = "The access token could not be verified; get a new one and try again.";

function parsePart(part: string, name: string): Record<string, unknown> {
  const bytes = Buffer.from(part, "base64url");
  if (bytes.toString("base64url") !== part) throw malformed(`${name} is not canonical base64url`);
  try {
    const value: unknown = JSON.parse(isAscii(bytes) ? bytes.toString("latin1") : text.decode(bytes));
    if (isRecord(value)) return value;
  } catch (cause) {
    throw malformed(`${name} is not JSON in UTF-8`, cause);
  }
  throw malformed(`${name} is not a JSON object`);
}

/** A part has several spellings (padding, unused bits, foreign letters); only what an encoder writes is taken. */
function isCanonical(part: string): boolean {
  return Buffer.from(part, "base64url").toString("base64url") === part;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
