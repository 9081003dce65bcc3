import { createPrivateKey, type KeyObject, sign } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { decodeJwt, type JWK } from "jose";

/** What a token of ours says instead of the provider's: text is taken as it is, so that JSON can be odd. */
export interface Odd {
  /** Members to change; undefined removes one. */
  readonly header?: Readonly<Record<string, unknown>> | string;
  readonly claims?: Readonly<Record<string, unknown>> | string;
  /** Node's name of the digest, RSASSA-PKCS1-v1_5; RS256's unless given. */
  readonly digest?: string;
}

export interface Forge {
  /** The token with changes, signed by the provider's own key: only what was changed can be the reason of a refusal. */
  resign(token: string, odd: Odd): string;
  /** The same from an attacker's own key under the provider's key id. */
  counterfeit(token: string, odd: Odd, key: KeyObject): string;
  readonly kid: string;
  /** As the provider publishes it. */
  readonly publicJwk: JWK;
}

export const encode = (text: string | Uint8Array): string => Buffer.from(text).toString("base64url");

/** Takes the key the sandbox's provider keeps in its data folder. */
export function openForge(dataDir: string, server = "default"): Forge {
  const database = new DatabaseSync(join(dataDir, "identity-provider.sqlite"), { readOnly: true });
  const row = database.prepare("SELECT value FROM settings WHERE name = ?").get(`keys:${server}`);
  database.close();
  const [jwk] = JSON.parse(String(row?.value)) as (JWK & { kid: string })[];
  if (jwk === undefined) throw new Error(`the provider keeps no key for ${server}`);
  const own = createPrivateKey({ key: jwk as never, format: "jwk" });
  const { d: _d, p: _p, q: _q, dp: _dp, dq: _dq, qi: _qi, ...publicJwk } = jwk;

  const make = (token: string, { header = {}, claims = {}, digest = "sha256" }: Odd, key: KeyObject): string => {
    const head = { alg: "RS256", typ: "at+jwt", kid: jwk.kid };
    const first = typeof header === "string" ? header : JSON.stringify({ ...head, ...header });
    const second = typeof claims === "string" ? claims : JSON.stringify({ ...decodeJwt(token), ...claims });
    const signed = `${encode(first)}.${encode(second)}`;
    return `${signed}.${encode(sign(digest, Buffer.from(signed), key))}`;
  };
  return {
    resign: (token, odd) => make(token, odd, own),
    counterfeit: make,
    kid: jwk.kid,
    publicJwk,
  };
}
