import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";

/** Encrypts what leaves the process, so that whoever reads or writes the store learns nothing and can change nothing. */
export interface Seal {
  /** What an entry is called in the store: no reader can tell the key it stands for. */
  name(key: string): string;
  /** Bound to the name: the text of one entry cannot be put in the place of another. */
  close(name: string, text: string): string;
  /** The same text gives the same result: for members of sets, which must be found again. */
  closeSame(name: string, text: string): string;
  /** Undefined when it was not sealed here, under this name and secret. */
  open(name: string, sealed: string): string | undefined;
}

const version = 1;
const nonceBytes = 12;
const tagBytes = 16;
const keyBytes = 32;

/**
 * AES-256-GCM with keys derived from the secret by HKDF (RFC 5869). Each entry has a key of its own, so that the
 * limits on random nonces (NIST SP 800-38D section 8.3) hold per entry and not for the whole store.
 * @param secret at least 32 characters
 * @param purpose keys for one purpose are of no use for another
 * @throws TypeError for a secret that is too short
 */
export function createSeal(secret: string, purpose: string): Seal {
  if (secret.length < keyBytes) throw new TypeError(`The encryption secret needs at least ${keyBytes} characters.`);
  const derive = (use: string) => Buffer.from(hkdfSync("sha256", secret, "onbehalf", `${purpose}/${use}`, keyBytes));
  const [nameKey, valueKey, nonceKey] = [derive("name"), derive("value"), derive("nonce")];
  const close = (name: string, text: string, nonce: Buffer): string => {
    const cipher = createCipheriv("aes-256-gcm", mac(valueKey, name), nonce).setAAD(Buffer.from(name));
    const body = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
    return Buffer.concat([Buffer.of(version), nonce, body, cipher.getAuthTag()]).toString("base64");
  };
  return {
    name: (key) => mac(nameKey, key).toString("base64url"),
    close: (name, text) => close(name, text, randomBytes(nonceBytes)),
    closeSame: (name, text) => close(name, text, mac(mac(nonceKey, name), text).subarray(0, nonceBytes)),
    open(name, sealed) {
      const bytes = Buffer.from(sealed, "base64");
      if (bytes.length < 1 + nonceBytes + tagBytes || bytes[0] !== version) return undefined;
      const nonce = bytes.subarray(1, 1 + nonceBytes);
      const decipher = createDecipheriv("aes-256-gcm", mac(valueKey, name), nonce, { authTagLength: tagBytes });
      decipher.setAAD(Buffer.from(name)).setAuthTag(bytes.subarray(-tagBytes));
      try {
        const body = decipher.update(bytes.subarray(1 + nonceBytes, -tagBytes));
        return Buffer.concat([body, decipher.final()]).toString("utf8");
      } catch {
        return undefined;
      }
    },
  };
}

function mac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
