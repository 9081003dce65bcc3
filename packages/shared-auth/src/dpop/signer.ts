import type { webcrypto } from "node:crypto";
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";
import { accessTokenHash, resourceOf } from "./proof.ts";

/** What a proof is for. */
export interface ProofRequest {
  readonly method: string;
  readonly url: string;
  /** Left out at the token endpoint. */
  readonly accessToken?: string | undefined;
  /** The server's last `DPoP-Nonce`. */
  readonly nonce?: string | undefined;
}

/** Holds the key that tokens are bound to, and proves its possession (RFC 9449 section 4). */
export interface DpopSigner {
  /** RFC 7638 thumbprint of the key: what a bound token's `cnf.jkt` says. */
  readonly thumbprint: string;
  readonly keyPair: webcrypto.CryptoKeyPair;
  /**
   * The value of the `DPoP` header for one request.
   * @throws TypeError when the URL is not absolute
   */
  readonly prove: (request: ProofRequest) => Promise<string>;
}

/** A signer with a new key, which never leaves this process. */
export async function createDpopSigner(algorithm: "ES256" | "EdDSA" = "ES256"): Promise<DpopSigner> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm);
  const { kty, crv, x, y } = await exportJWK(publicKey);
  const jwk = JSON.parse(JSON.stringify({ kty, crv, x, y })) as JWK;
  return Object.freeze({
    thumbprint: await calculateJwkThumbprint(jwk),
    keyPair: { privateKey, publicKey },
    prove({ method, url, accessToken, nonce }: ProofRequest): Promise<string> {
      const htu = resourceOf(url);
      if (htu === undefined) throw new TypeError("A DPoP proof needs the absolute URL of its request.");
      const ath = accessToken === undefined ? {} : { ath: accessTokenHash(accessToken) };
      return new SignJWT({
        jti: crypto.randomUUID(),
        htm: method,
        htu,
        ...ath,
        ...(nonce === undefined ? {} : { nonce }),
      })
        .setProtectedHeader({ typ: "dpop+jwt", alg: algorithm, jwk })
        .setIssuedAt()
        .sign(privateKey);
    },
  });
}
