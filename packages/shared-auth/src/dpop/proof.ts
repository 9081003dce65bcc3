import { hash } from "node:crypto";
import { calculateJwkThumbprint, compactVerify, importJWK, type JWK } from "jose";
import { type Algorithm, keyKinds } from "../algorithms.ts";
import { type CompactToken, createCompactParser, isRecord } from "../compact.ts";
import { AuthError } from "../errors.ts";
import { keyProblem } from "../key-set.ts";

/** The request that a proof must be for. */
interface ProofExpectation {
  readonly accessToken: string;
  readonly method: string;
  /** As the client called it, scheme and host included; query and fragment do not count. */
  readonly url: string;
  readonly algorithms: readonly Algorithm[];
  /** Seconds by which `iat` may lie before or after now. */
  readonly windowSeconds: number;
  /** Seconds since the epoch. */
  readonly now: number;
}

/** What a good proof says about its key and itself. */
export interface Proof {
  /** RFC 7638 thumbprint of the key that signed. */
  readonly thumbprint: string;
  readonly tokenId: string;
  readonly nonce: string | undefined;
}

/** Characters; a `jti` is remembered, so it must be small. */
const MAX_ID_LENGTH = 256;

/**
 * Checks a DPoP proof (RFC 9449 section 4.3), all but nonce and replay, which need memory.
 * @throws AuthError `dpop_proof_invalid`
 */
export async function checkProof(proof: string, expected: ProofExpectation): Promise<Proof> {
  const { header, claims } = parse(proof);
  if (header.type !== "dpop+jwt") throw invalidProof("its typ is not dpop+jwt");
  const algorithm = expected.algorithms.find((accepted) => accepted === header.alg && keyKinds[accepted].kty !== "oct");
  if (algorithm === undefined) throw invalidProof(`its algorithm is none of ${expected.algorithms.join(", ")}`);
  const jwk = publicKey(header.jwk, algorithm);
  const key = await importJWK(jwk, algorithm).catch(refuse("its key cannot be used"));
  await compactVerify(proof, key, { algorithms: [algorithm] }).catch(refuse("its signature is wrong"));
  checkProofClaims(claims, expected);
  return {
    thumbprint: await calculateJwkThumbprint(jwk),
    tokenId: claims.jti as string,
    nonce: typeof claims.nonce === "string" ? claims.nonce : undefined,
  };
}

function checkProofClaims(claims: Readonly<Record<string, unknown>>, expected: ProofExpectation): void {
  const { jti, htm, htu, iat, ath } = claims;
  if (typeof jti !== "string" || jti === "" || jti.length > MAX_ID_LENGTH)
    throw invalidProof("its jti is not a sane string");
  if (htm !== expected.method) throw invalidProof(`its htm is not ${expected.method}`);
  if (typeof htu !== "string" || resourceOf(htu) === undefined || resourceOf(htu) !== resourceOf(expected.url)) {
    throw invalidProof("its htu is not the URL of this request");
  }
  if (typeof iat !== "number" || !(Math.abs(iat - expected.now) <= expected.windowSeconds)) {
    throw invalidProof("its iat is not close to now");
  }
  if (ath !== accessTokenHash(expected.accessToken)) throw invalidProof("its ath is not that of the access token");
}

/** RFC 9449 section 4.2, `ath`. */
export function accessTokenHash(token: string): string {
  return hash("sha256", token, "base64url");
}

/** What `htu` names: the URL without query and fragment, in its normal form (RFC 9449 section 4.3, step 9). */
export function resourceOf(value: string): string | undefined {
  const url = URL.parse(value);
  return url === null ? undefined : `${url.origin}${url.pathname}`;
}

function publicKey(value: unknown, algorithm: Algorithm): JWK {
  const problem = keyProblem(value, algorithm);
  if (problem !== undefined || !isRecord(value)) throw invalidProof(`its key: ${problem}`);
  const { kty, n, e, crv, x, y } = value as JWK;
  return JSON.parse(JSON.stringify({ kty, n, e, crv, x, y })) as JWK;
}

function parse(proof: string): CompactToken {
  try {
    return createCompactParser()(proof);
  } catch (error) {
    throw refused("it is not a compact JWT", error);
  }
}

const refuse = (problem: string) => (cause: unknown) => {
  throw refused(problem, cause);
};

/** A proof is no secret of the issuer's: saying what is wrong with it helps only its own signer. */
export function invalidProof(problem: string): AuthError {
  return refused(problem, undefined);
}

function refused(problem: string, cause: unknown): AuthError {
  return new AuthError("dpop_proof_invalid", `The DPoP proof is not acceptable: ${problem}.`, { cause });
}
