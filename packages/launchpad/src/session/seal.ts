import { createHash, hkdfSync } from "node:crypto";
import { CompactEncrypt, compactDecrypt } from "jose";

/** Encrypts small records so that only a holder of the secret reads them, and only for what they were made. */
export interface Seal {
  /** `purpose` is bound in: a record sealed for one thing (a session's id, say) does not open as another. */
  seal(value: unknown, purpose: string): Promise<string>;
  /** Undefined when it was sealed with another secret, for another purpose, or was changed. */
  open(sealed: string, purpose: string): Promise<unknown>;
}

/** JWE, `dir` with A256GCM (RFC 7516), under a key derived from `secret` (HKDF, RFC 5869). */
export function createSeal(secret: string, label: string): Seal {
  const key = new Uint8Array(hkdfSync("sha256", secret, "onbehalf", `launchpad ${label} v1`, 32));
  return {
    seal(value, purpose) {
      const text = new TextEncoder().encode(JSON.stringify({ purpose, value }));
      return new CompactEncrypt(text).setProtectedHeader({ alg: "dir", enc: "A256GCM" }).encrypt(key);
    },
    async open(sealed, purpose) {
      try {
        const { plaintext } = await compactDecrypt(sealed, key, {
          keyManagementAlgorithms: ["dir"],
          contentEncryptionAlgorithms: ["A256GCM"],
        });
        const opened = JSON.parse(new TextDecoder().decode(plaintext)) as { purpose?: unknown; value?: unknown };
        return opened.purpose === purpose ? opened.value : undefined;
      } catch {
        return undefined;
      }
    },
  };
}

/** Digest of several fields, length-prefixed so that no two different lists collide. */
export function digest(...fields: readonly string[]): string {
  const hash = createHash("sha256");
  for (const field of fields) hash.update(`${Buffer.byteLength(field)}:${field}`);
  return hash.digest("base64url");
}
