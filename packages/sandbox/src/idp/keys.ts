import {
  calculateJwkThumbprint,
  createLocalJWKSet,
  exportJWK,
  generateKeyPair,
  type JSONWebKeySet,
  type JWK,
  type JWTVerifyGetKey,
} from "jose";
import type { State } from "./state.ts";

/** Old keys kept beside the current one, so that repeated rotation does not grow the set without bound. */
const maxOldKeys = 4;

/** An issuer's signing keys. The first signs; the others only verify what was signed before. */
export interface SigningKeys {
  /** Private JWKs, newest first. */
  all(): readonly JWK[];
  /** Finds the key of a token among the present ones; rejects when it is not there (any more). */
  find: JWTVerifyGetKey;
  /** Puts a new key in front. @param keepOld false: tokens signed before become unverifiable at once */
  rotate(keepOld: boolean): Promise<void>;
}

/** Opens the keys remembered for `name`, or makes the first one. RSA because RS256 is what every dialect signs with. */
export async function openSigningKeys(state: State, name: string): Promise<SigningKeys> {
  const setting = `keys:${name}`;
  const remembered = state.read(setting);
  let keys: readonly JWK[] = remembered === undefined ? [] : (JSON.parse(remembered) as JWK[]);
  let find = createLocalJWKSet(publicSet(keys));

  const replace = (next: readonly JWK[]): void => {
    state.write(setting, JSON.stringify(next));
    keys = next;
    find = createLocalJWKSet(publicSet(next));
  };
  if (keys.length === 0) replace([await newKey()]);

  return {
    all: () => keys,
    find: (header, token) => find(header, token),
    rotate: async (keepOld) => replace([await newKey(), ...(keepOld ? keys.slice(0, maxOldKeys) : [])]),
  };
}

async function newKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  const jwk = await exportJWK(privateKey);
  return { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: "RS256", use: "sig" };
}

function publicSet(keys: readonly JWK[]): JSONWebKeySet {
  return { keys: keys.map(({ kty, n, e, kid, alg, use }) => ({ kty, n, e, kid, alg, use }) as JWK) };
}
