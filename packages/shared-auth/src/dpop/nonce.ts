import { createHmac, timingSafeEqual } from "node:crypto";

/** Server-chosen nonces (RFC 9449 section 8) that need no memory: a time, and a code only we can make for it. */
interface Nonces {
  /** @param now seconds since the epoch */
  readonly issue: (now: number) => string;
  readonly accepts: (nonce: string | undefined, now: number) => boolean;
}

/** Seconds for which a nonce is good. Replicas that share the secret accept each other's. */
const LIFETIME_SECONDS = 300;

/** @throws TypeError for a secret of less than 32 bytes */
export function createNonces(secret: string | Uint8Array): Nonces {
  if (Buffer.byteLength(secret) < 32) throw new TypeError("dpop.nonceSecret needs at least 32 bytes.");
  const code = (at: string) => createHmac("sha256", secret).update(`dpop-nonce:${at}`).digest();
  return {
    issue(now) {
      const at = Math.floor(now).toString(36);
      return `${at}.${code(at).toString("base64url")}`;
    },
    accepts(nonce, now) {
      const [at = "", given = ""] = nonce?.split(".", 2) ?? [];
      const right = code(at);
      const bytes = Buffer.from(given, "base64url");
      if (bytes.length !== right.length || !timingSafeEqual(bytes, right)) return false;
      const age = Math.floor(now) - Number.parseInt(at, 36);
      return age >= -1 && age <= LIFETIME_SECONDS;
    },
  };
}
