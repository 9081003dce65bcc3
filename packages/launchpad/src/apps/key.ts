import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/**
 * Form of an application key: a fixed prefix, by which secret scanners recognise it, and 256 random bits. As a regular
 * expression for such a scanner: `obk_[A-Za-z0-9_-]{43}`.
 */
export const keyPattern = /^obk_[A-Za-z0-9_-]{43}$/;

/** A new key; `hint` and `hash` are what is stored. */
interface CreatedKey {
  /** The key itself: shown once, kept nowhere. */
  readonly key: string;
  readonly hint: string;
  readonly hash: string;
}

/** From 256 random bits of the system's. */
export function createKey(): CreatedKey {
  const key = `obk_${randomBytes(32).toString("base64url")}`;
  return { key, hint: keyHint(key), hash: hashKey(key) };
}

/** The beginning of a key: enough to tell keys apart in a list and to find one, useless to guess the rest. */
export function keyHint(key: string): string {
  return key.slice(0, 12);
}

/** SHA-256, hex. A slow hash would add nothing: there are 256 random bits to guess, not a word. */
export function hashKey(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}

/** Compares in constant time. */
export function keyMatches(key: string, hash: string): boolean {
  const expected = Buffer.from(hash, "hex");
  const given = Buffer.from(hashKey(key), "hex");
  return expected.length === given.length && timingSafeEqual(expected, given);
}
