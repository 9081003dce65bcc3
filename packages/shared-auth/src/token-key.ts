import { hash } from "node:crypto";

/**
 * A digest of all fields in full. Each is preceded by its length, so that no two lists of fields read the same, and
 * taken as UTF-16, in which no two strings are the same bytes.
 */
export function digestOf(kind: string, ...fields: readonly string[]): string {
  const text = [kind, ...fields].map((field) => `${field.length}:${field}`).join("");
  return hash("sha256", Buffer.from(text, "utf16le"), "base64url");
}
