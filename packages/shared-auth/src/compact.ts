import { isAscii } from "node:buffer";
import { AuthError } from "./errors.ts";

/** A JWS in compact form, taken apart but not yet believed. */
export interface CompactToken {
  readonly header: TokenHeader;
  readonly claims: Record<string, unknown>;
}

/** All that is ever read of a header; `jku`, `x5u` and `x5c` are not. */
interface TokenHeader {
  readonly alg: unknown;
  readonly kid: string | undefined;
  /** In lower case and without `application/` (RFC 7515 section 4.1.9); `jwt` when there is none, undefined when it is odd. */
  readonly type: string | undefined;
  /** For proofs, which carry their key; an access token's is never used. */
  readonly jwk: unknown;
}

/** Characters. Header lines are cut at 16 KB by Node itself, so a longer token never arrives as one. */
export const MAX_TOKEN_LENGTH = 16_384;
/** Characters; a kid is a name or a thumbprint. */
const MAX_KID_LENGTH = 256;
/** All tokens of one key have the same header: so many are remembered by their text. */
const MAX_HEADERS = 64;
/** Extensions that must be understood (RFC 7515 section 4.1.11, RFC 7797), and what only encrypted tokens have. */
const refusedMembers = ["crit", "b64", "zip", "enc"];

/** @throws AuthError `token_malformed` */
type CompactParser = (token: string) => CompactToken;

/**
 * Takes compact JWSs (RFC 7515 section 3.1) apart: three parts, each in the one canonical base64url spelling, header
 * and claims being JSON objects in UTF-8. Anything else is refused before a key is looked up.
 * The parser throws AuthError `token_malformed`.
 */
export function createCompactParser(): CompactParser {
  const headers = new Map<string, TokenHeader>();
  return (token) => {
    requireTokenText(token);
    const [, first, second, third] = /^([\w-]+)\.([\w-]+)\.([\w-]+)$/.exec(token) ?? [];
    if (first === undefined || second === undefined || third === undefined)
      throw malformed("not three base64url parts");
    if (!isCanonical(first) || !isCanonical(second) || !isCanonical(third)) {
      throw malformed("a part is not in its canonical spelling");
    }
    return { header: headers.get(first) ?? remember(first), claims: parsePart(second, "claims") };
  };

  function remember(part: string): TokenHeader {
    const header = readHeader(parsePart(part, "header"));
    if (headers.size >= MAX_HEADERS) headers.clear();
    headers.set(part, header);
    return header;
  }
}

function readHeader(header: Readonly<Record<string, unknown>>): TokenHeader {
  for (const name of refusedMembers) if (Object.hasOwn(header, name)) throw malformed(`the header has ${name}`);
  const { alg, kid, jwk } = header;
  const typ = Object.hasOwn(header, "typ") ? header.typ : "JWT";
  const type = typeof typ === "string" ? typ.toLowerCase().replace(/^application\//, "") : undefined;
  if (kid === undefined) return Object.freeze({ alg, kid, type, jwk });
  if (typeof kid !== "string" || kid === "" || kid.length > MAX_KID_LENGTH) throw malformed("kid is not a sane string");
  return Object.freeze({ alg, kid, type, jwk });
}

/** Before anything is done with a token, hashing it included. */
export function requireTokenText(token: string): void {
  if (typeof token !== "string" || token.length > MAX_TOKEN_LENGTH)
    throw malformed("not a string of acceptable length");
}

/** One refusal for everything before the signature: what exactly was wrong is for the log only. */
export function malformed(reason: string): AuthError {
  return new AuthError("token_malformed", UNVERIFIED, { cause: new Error(`Token refused: ${reason}.`) });
}

/** Said for every refusal that comes before a good signature, so that a forger learns nothing from it. */
export const UNVERIFIED = "The access token could not be verified; get a new one and try again.";

/** The last letters that leave no unused bit set, by how many letters stand beyond the last whole group of four. */
const lastLetters = [undefined, "", "AQgw", "AEIMQUYcgkosw048"] as const;

/** Base64url letters can spell the same bytes in several ways; only what an encoder writes is taken. */
function isCanonical(part: string): boolean {
  return lastLetters[part.length % 4]?.includes(part.charAt(part.length - 1)) ?? true;
}

const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function parsePart(part: string, name: string): Record<string, unknown> {
  const bytes = Buffer.from(part, "base64url");
  try {
    const value: unknown = JSON.parse(isAscii(bytes) ? bytes.toString("latin1") : text.decode(bytes));
    if (isRecord(value)) return value;
  } catch {
    // The parser's own error would quote the claims.
    throw malformed(`${name} is not JSON in UTF-8`);
  }
  throw malformed(`${name} is not a JSON object`);
}

/** A JSON object: neither null nor a list. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
