import { createPrivateKey, type KeyObject } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { importPKCS8 } from "jose";

/** A private key that lives in a file, as operators mount and replace it. */
export interface KeyFile {
  /** The key as the file holds it now. */
  readonly read: () => Promise<CryptoKey>;
}

/**
 * Reads a PEM file (PKCS#8, PKCS#1 or SEC 1) again whenever its time or size changes. A file that is broken while it is
 * being replaced does not take the key away: the last good one serves on.
 * @throws TypeError at construction when there is no usable key
 */
export function createKeyFile(path: string): KeyFile {
  let version = versionOf(statSync(path, { throwIfNoEntry: false }) ?? missing(path));
  let current = importPem(readFileSync(path, "utf8"), path);
  current.catch(() => undefined);

  async function read(): Promise<CryptoKey> {
    const found = await stat(path).then(versionOf, () => version);
    if (found !== version) {
      const previous = current;
      version = found;
      current = readFile(path, "utf8")
        .then((pem) => importPem(pem, path))
        .catch(() => previous);
    }
    return current;
  }

  return { read };
}

const versionOf = ({ mtimeMs, size, ino }: { mtimeMs: number; size: number; ino: number }) =>
  `${mtimeMs}:${size}:${ino}`;

function missing(path: string): never {
  throw new TypeError(`There is no key file at ${path}; give the path of a PEM private key.`);
}

function importPem(pem: string, path: string): Promise<CryptoKey> {
  const key = parsePem(pem, path);
  return importPKCS8(key.export({ type: "pkcs8", format: "pem" }).toString(), algorithmOf(key, path));
}

function parsePem(pem: string, path: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // The reason could quote the file.
    throw new TypeError(`The file ${path} holds no readable PEM private key.`);
  }
}

const curves: Readonly<Record<string, string>> = { prime256v1: "ES256", secp384r1: "ES384", secp521r1: "ES512" };

function algorithmOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject, path: string): string {
  const algorithm =
    asymmetricKeyType === "rsa" && (asymmetricKeyDetails?.modulusLength ?? 0) >= 2048
      ? "RS256"
      : asymmetricKeyType === "ec"
        ? curves[asymmetricKeyDetails?.namedCurve ?? ""]
        : asymmetricKeyType === "ed25519"
          ? "EdDSA"
          : undefined;
  if (algorithm !== undefined) return algorithm;
  throw new TypeError(`The key in ${path} must be RSA of at least 2048 bits, EC on P-256, P-384 or P-521, or Ed25519.`);
}
