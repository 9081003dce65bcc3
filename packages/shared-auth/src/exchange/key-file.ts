import { createPrivateKey, type KeyObject } from "node:crypto";
import { readFileSync, type Stats, statSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { type CryptoKey, importPKCS8 } from "jose";

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
  const [found, pem] = readNow(path);
  let version = versionOf(found);
  let current = importPem(pem, path);
  current.catch(() => undefined);
  let reading: Promise<CryptoKey> | undefined;

  async function read(): Promise<CryptoKey> {
    const found = await stat(path).then(versionOf, () => version);
    if (found === version) return current;
    reading ??= renew(found).finally(() => {
      reading = undefined;
    });
    return reading;
  }

  /** A version is known once it was read: what could not be opened or was half written is tried again. */
  async function renew(found: string): Promise<CryptoKey> {
    try {
      const key = await importPem(await readFile(path, "utf8"), path);
      current = Promise.resolve(key);
      version = found;
    } catch {
      // The last good one serves on.
    }
    return current;
  }

  return { read };
}

/**
 * Why a file cannot be used as a client's private key, in words; undefined for one that can. For those who check their
 * configuration before they use it.
 */
export function keyFileProblem(path: string): string | undefined {
  try {
    algorithmOf(parsePem(readNow(path)[1], path), path);
    return undefined;
  } catch (error) {
    if (error instanceof TypeError) return error.message;
    throw error;
  }
}

const versionOf = ({ mtimeMs, size, ino }: { mtimeMs: number; size: number; ino: number }) =>
  `${mtimeMs}:${size}:${ino}`;

function readNow(path: string): readonly [Stats, string] {
  try {
    return [statSync(path), readFileSync(path, "utf8")];
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown reason";
    const missing = code === "ENOENT" || code === "ENOTDIR";
    const fault = missing ? `There is no key file at ${path}` : `The key file ${path} cannot be read (${code})`;
    throw new TypeError(`${fault}; give the path of a PEM private key.`, { cause: error });
  }
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
