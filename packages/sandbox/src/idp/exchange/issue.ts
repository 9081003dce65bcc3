import type { Client, KoaContextWithOIDC, Provider } from "oidc-provider";
import checkDpop, { checkDpopReplay } from "oidc-provider/lib/helpers/validate_dpop.js";
import { resourceOf, resourceServer } from "../audiences.ts";
import type { Carried, UserClaims } from "../claims.ts";
import type { IssuerDefinition } from "../definitions.ts";
import type { Dialect } from "../dialects/dialect.ts";
import type { StepUp } from "../step-up.ts";
import type { TrustedIssuer } from "./subject.ts";

/** What the grants we add need of their issuer. */
export interface GrantSetting {
  readonly definition: IssuerDefinition;
  readonly dialect: Dialect;
  /** This issuer, then those it trusts. */
  readonly trusted: () => Promise<readonly [TrustedIssuer, ...TrustedIssuer[]]>;
  /** The URL of another issuer of this provider. */
  readonly urlOf: (name: string) => string | undefined;
  readonly accessTokenSeconds: () => number;
  /** Tells what a token carries before it is written. */
  readonly carry: (token: object, carried: Carried) => void;
  readonly stepUp: StepUp;
}

interface ToIssue {
  readonly subject: string;
  readonly audiences: readonly [string, ...string[]];
  readonly scopes: readonly string[];
  /** Seconds since the epoch: nothing that is issued lives longer. */
  readonly notAfter: number;
  readonly opaque?: boolean;
  readonly carried: Carried & { readonly user: UserClaims };
}

/** Issues an access token for a user who is not here, bound to a key where the client proves one (RFC 9449, section 5). */
export async function issueFor(
  provider: Provider,
  ctx: KoaContextWithOIDC & { oidc: { client: Client } },
  setting: GrantSetting,
  wanted: ToIssue,
) {
  const { client } = ctx.oidc;
  const [audience] = wanted.audiences;
  const remaining = wanted.notAfter - Math.floor(Date.now() / 1000);
  const server = resourceServer(setting.definition, audience);
  const token = new provider.AccessToken({
    client,
    accountId: wanted.subject,
    gty: "exchange",
    // An exchanged token hangs on no grant of the user: it dies by its own, short, expiry.
    grantId: "",
    scope: wanted.scopes.join(" "),
    resourceServer: new provider.ResourceServer(resourceOf(audience), {
      ...server,
      ...(wanted.opaque === true ? { accessTokenFormat: "opaque" } : {}),
    }),
    expiresIn: Math.max(1, Math.min(setting.accessTokenSeconds(), remaining)),
  });
  if (wanted.audiences.length > 1) token.aud = [...wanted.audiences];
  const proof = await checkDpop(provider, ctx);
  if (proof !== undefined) {
    await checkDpopReplay(provider, ctx, proof, client.clientId);
    token.setThumbprint("jkt", proof.thumbprint);
  }
  setting.carry(token, wanted.carried);
  ctx.oidc.entity("AccessToken", token);
  return { value: await token.save(), tokenType: token.tokenType, expiresIn: token.expiration };
}
