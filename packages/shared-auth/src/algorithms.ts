/** Signatures by a private key (RFC 7518 sections 3.3 to 3.5, RFC 8037), which whoever verifies cannot make. */
export const asymmetricAlgorithms = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
] as const;

export type AsymmetricAlgorithm = (typeof asymmetricAlgorithms)[number];

/** Signature algorithms that are accepted at all; `none` and key wrapping are not among them. */
export type Algorithm = AsymmetricAlgorithm | "HS256" | "HS384" | "HS512";

/** What a key must be to verify an algorithm (RFC 7518 section 3, RFC 8037 section 3.1). */
interface KeyKind {
  readonly kty: "RSA" | "EC" | "OKP" | "oct";
  readonly crv?: string;
  /** For `oct`: a key shorter than the hash is weaker than the algorithm (RFC 7518 section 3.2). */
  readonly minBytes?: number;
}

const RSA: KeyKind = { kty: "RSA" };
const ED25519: KeyKind = { kty: "OKP", crv: "Ed25519" };

/** The kind of key each algorithm takes, and the only list of what is supported. */
export const keyKinds: Readonly<Record<Algorithm, KeyKind>> = {
  RS256: RSA,
  RS384: RSA,
  RS512: RSA,
  PS256: RSA,
  PS384: RSA,
  PS512: RSA,
  ES256: { kty: "EC", crv: "P-256" },
  ES384: { kty: "EC", crv: "P-384" },
  ES512: { kty: "EC", crv: "P-521" },
  EdDSA: ED25519,
  Ed25519: ED25519,
  HS256: { kty: "oct", minBytes: 32 },
  HS384: { kty: "oct", minBytes: 48 },
  HS512: { kty: "oct", minBytes: 64 },
};

/** For options that did not pass a type check. */
export function isAlgorithm(value: unknown): value is Algorithm {
  return typeof value === "string" && Object.hasOwn(keyKinds, value);
}
