import { type CryptoKey, importJWK, type JWK } from "jose";
import { type Algorithm, keyKinds } from "./algorithms.ts";
import { isRecord } from "./compact.ts";

/** One public key of an issuer, for one algorithm. */
export interface VerificationKey {
  readonly kid: string | undefined;
  readonly algorithm: Algorithm;
  readonly key: CryptoKey | Uint8Array;
  /** Two keys with the same print are the same key, whatever they are called. */
  readonly print: string;
}

/** The usable keys of a JWK Set (RFC 7517 section 5), by what is asked of them. */
export interface KeySet {
  readonly find: (algorithm: Algorithm, kid: string | undefined) => readonly VerificationKey[];
  readonly holds: (key: VerificationKey) => boolean;
  /** Why each of the other keys was left out: for the log. */
  readonly refused: readonly string[];
  readonly size: number;
}

/** A real set holds a handful; a larger one is cut, so that importing it stays cheap. */
const MAX_KEYS = 64;
/** Bits. RFC 7518 section 3.3 sets the floor; above the ceiling one check costs more than a denial of service should. */
const MIN_RSA_BITS = 2048;
const MAX_RSA_BITS = 8192;

/**
 * Imports every key of the set that can verify one of the algorithms. One bad key does not poison the others.
 * @throws Error when the document is no key set at all
 */
export async function importKeySet(
  document: Readonly<Record<string, unknown>>,
  algorithms: readonly Algorithm[],
): Promise<KeySet> {
  if (!Array.isArray(document.keys)) throw new Error("The key set has no list of keys.");
  const keys: VerificationKey[] = [];
  const refused: string[] = [];
  for (const [index, jwk] of document.keys.slice(0, MAX_KEYS).entries()) {
    for (const algorithm of algorithms) {
      const problem = keyProblem(jwk, algorithm);
      if (problem === undefined) {
        await importOne(jwk as JWK, algorithm).then(
          (key) => keys.push(key),
          () => refused.push(`key ${index}: it cannot be imported for ${algorithm}`),
        );
      } else refused.push(`key ${index}: ${problem}`);
    }
  }
  return keySet(keys, refused);
}

/** The keys, indexed. */
export function keySet(keys: readonly VerificationKey[], refused: readonly string[] = []): KeySet {
  const members = new Set(keys);
  const prints = new Set(keys.map(identify));
  const byAlgorithm = Map.groupBy(keys, ({ algorithm }) => algorithm);
  const byName = Map.groupBy(keys, ({ algorithm, kid = "" }) => `${algorithm} ${kid}`);
  return {
    find: (algorithm, kid) =>
      (kid === undefined ? byAlgorithm.get(algorithm) : byName.get(`${algorithm} ${kid}`)) ?? [],
    holds: (key) => members.has(key) || prints.has(identify(key)),
    refused,
    size: keys.length,
  };
}

/** A key that was loaded again is the same key when name and substance are. */
const identify = ({ kid, algorithm, print }: VerificationKey) => JSON.stringify([algorithm, kid ?? null, print]);

/** Why a JWK must not verify this algorithm (RFC 7517 section 4, RFC 8725 section 3.5); undefined when it may. */
export function keyProblem(jwk: unknown, algorithm: Algorithm): string | undefined {
  if (!isRecord(jwk)) return "it is not an object";
  const kind = keyKinds[algorithm];
  if (jwk.kty === "oct") return "a shared secret must not be published in a key set";
  if (jwk.kty !== kind.kty || (kind.crv !== undefined && jwk.crv !== kind.crv))
    return `it is not a key for ${algorithm}`;
  if (jwk.d !== undefined) return "it publishes a private key";
  if (jwk.kid !== undefined && typeof jwk.kid !== "string") return "its kid is not a string";
  if (jwk.alg !== undefined && jwk.alg !== algorithm) return `its alg does not name ${algorithm}`;
  if (jwk.use !== undefined && jwk.use !== "sig") return "its use is not sig";
  if (jwk.key_ops !== undefined && !(Array.isArray(jwk.key_ops) && jwk.key_ops.includes("verify"))) {
    return "its key_ops do not include verify";
  }
  return kind.kty === "RSA" ? rsaProblem(jwk) : undefined;
}

function rsaProblem(jwk: Readonly<Record<string, unknown>>): string | undefined {
  if (typeof jwk.n !== "string" || typeof jwk.e !== "string") return "its modulus or exponent is missing";
  const bits = bitLength(Buffer.from(jwk.n, "base64url"));
  if (bits < MIN_RSA_BITS || bits > MAX_RSA_BITS)
    return `its ${bits} bits are not within ${MIN_RSA_BITS} to ${MAX_RSA_BITS}`;
  const exponent = Buffer.from(jwk.e, "base64url");
  // With exponent 1 everybody can sign; an even one is no exponent; a huge one makes each check slow.
  const odd = ((exponent.at(-1) ?? 0) & 1) === 1;
  return odd && bitLength(exponent) > 1 && bitLength(exponent) <= 64 ? undefined : "its exponent is unsafe";
}

function bitLength(bytes: Uint8Array): number {
  const first = bytes.findIndex((byte) => byte !== 0);
  return first === -1 ? 0 : (bytes.length - first) * 8 - Math.clz32(bytes[first] ?? 0) + 24;
}

async function importOne(jwk: JWK, algorithm: Algorithm): Promise<VerificationKey> {
  const { kty, n, e, crv, x, y, kid } = jwk;
  // Only what makes the key: no certificate, URL or other member is ever looked at.
  const bare = JSON.parse(JSON.stringify({ kty, n, e, crv, x, y })) as JWK;
  const key = await importJWK(bare, algorithm);
  return Object.freeze({ kid, algorithm, key, print: JSON.stringify(bare) });
}
