import { importJWK, jwtVerify, SignJWT } from "jose";
import type { Provider, TokenEndpointGrantContext } from "oidc-provider";
import { z } from "zod";
import type { AssertionRule, ClientDefinition } from "../definitions.ts";
import { grantTypes, tokenTypes } from "../grant-types.ts";
import { errors } from "../library.ts";
import { allowedScopes } from "./decide.ts";
import { type GrantSetting, issueFor } from "./issue.ts";
import type { ExchangeRequest } from "./request.ts";
import { SubjectProblem, type TrustedIssuer, verifyIdToken } from "./subject.ts";

/** An assertion is used at once, at the other server. */
const assertionSeconds = 300;
const assertionType = "oauth-id-jag+jwt";

const invalidGrant = (why: string): Error => new errors.CustomOIDCProviderError("invalid_grant", why);

/**
 * The first leg of a cross-domain exchange: an ID token of the client's becomes an assertion for another domain's
 * server (draft-ietf-oauth-identity-assertion-authz-grant, section 4).
 */
export async function answerAssertion(
  setting: GrantSetting,
  ctx: TokenEndpointGrantContext,
  { assertions }: ClientDefinition,
  request: ExchangeRequest,
): Promise<Record<string, unknown>> {
  if (assertions.length === 0) throw new errors.UnauthorizedClient("this client may not ask for assertions");
  if (request.subjectType !== tokenTypes.idToken) {
    throw new errors.InvalidRequest(`an assertion is made from a subject_token_type of ${tokenTypes.idToken}`);
  }
  const { clientId } = ctx.oidc.client;
  const [own] = await setting.trusted();
  const subject = await verifyIdToken(request.subjectToken, [own], clientId).catch((error: unknown) => {
    throw error instanceof SubjectProblem ? invalidGrant(error.message) : error;
  });
  const rule = assertions.find(
    ({ audience }) => request.audiences.length === 1 && setting.urlOf(audience) === request.audiences[0],
  );
  if (rule === undefined)
    throw new errors.InvalidTarget("audience must be the issuer of a server this client may go to");

  const scope = allowedScopes({ ...rule, from: [], subjectAudience: "" }, request.scopes).join(" ");
  const resource = request.resources[0];
  const [signingKey] = own.signingKeys();
  if (signingKey === undefined) throw new Error(`issuer ${own.name} has no signing key`);
  const assertion = await new SignJWT({
    client_id: rule.clientId,
    scope,
    ...(resource === undefined ? {} : { resource }),
    email: subject.user.email,
    ...(subject.acr === undefined ? {} : { acr: subject.acr }),
  })
    .setProtectedHeader({ alg: "RS256", typ: assertionType, kid: String(signingKey.kid) })
    .setIssuer(own.url)
    .setSubject(subject.subject)
    .setAudience(request.audiences[0] ?? "")
    .setJti(crypto.randomUUID())
    .setIssuedAt()
    .setExpirationTime(`${assertionSeconds}s`)
    .sign(await importJWK(signingKey, "RS256"));
  return {
    access_token: assertion,
    issued_token_type: tokenTypes.idJag,
    token_type: "N_A",
    expires_in: assertionSeconds,
    scope,
  };
}

type Parameters = { assertion?: string; scope?: string; resource?: string };

/** Teaches a provider the second leg: the assertion becomes an access token here (RFC 7523, section 2.1). */
export function registerAssertionGrant(provider: Provider, setting: GrantSetting): void {
  if (setting.dialect.onBehalfOf === true) return;
  provider.registerGrantType<Parameters>(grantTypes.jwtBearer, (ctx) => redeem(provider, setting, ctx), [
    "assertion",
    "scope",
    "resource",
  ]);
}

const claimsSchema = z.object({
  iss: z.string(),
  sub: z.string().min(1),
  jti: z.string().min(1),
  exp: z.number(),
  client_id: z.string(),
  scope: z.string().default(""),
  acr: z.string().optional(),
});

async function redeem(provider: Provider, setting: GrantSetting, ctx: TokenEndpointGrantContext<Parameters>) {
  const { client, params } = ctx.oidc;
  const accepted = setting.definition.clients[client.clientId]?.accepts ?? [];
  if (accepted.length === 0) throw new errors.UnauthorizedClient("this client may not bring assertions");
  if (params.assertion === undefined) throw new errors.InvalidRequest("assertion is missing");

  const [own, ...others] = await setting.trusted();
  const { claims, issuer } = await verifyAssertion(params.assertion, own, others);
  if (claims.client_id !== client.clientId) throw invalidGrant("the assertion was made for another client");
  const rule = accepted.find(({ from }) => from.includes(issuer.name));
  if (rule === undefined) throw invalidGrant("this client may not bring assertions of that issuer");
  const user = own.userOf(claims.sub);
  if (user === undefined) throw invalidGrant("the assertion names a user that is not known here");
  if (!(await provider.ReplayDetection.unique(claims.iss, claims.jti, claims.exp))) {
    throw invalidGrant("the assertion was used already");
  }
  const scopes = scopesFor(rule, claims.scope, params.scope);
  const token = await issueFor(provider, ctx, setting, {
    subject: claims.sub,
    audiences: [rule.audience],
    scopes,
    notAfter: Number.MAX_SAFE_INTEGER,
    carried: { user, acr: claims.acr },
  });
  ctx.body = {
    access_token: token.value,
    token_type: token.tokenType,
    expires_in: token.expiresIn,
    scope: scopes.join(" "),
  };
}

/** No more than the assertion says, and no more than the rule allows. */
function scopesFor(rule: AssertionRule, inAssertion: string, asked: string | undefined): readonly string[] {
  const offered = inAssertion.split(" ").filter((scope) => rule.scopes.includes(scope));
  return allowedScopes(
    { ...rule, from: [], subjectAudience: "", scopes: offered },
    (asked ?? "").split(" ").filter(Boolean),
  );
}

async function verifyAssertion(assertion: string, own: TrustedIssuer, others: readonly TrustedIssuer[]) {
  for (const issuer of others) {
    const rules = { issuer: issuer.url, audience: own.url, typ: assertionType, algorithms: ["RS256"] };
    const verified = await jwtVerify(assertion, issuer.find, rules).catch(() => undefined);
    const claims = claimsSchema.safeParse(verified?.payload);
    if (claims.success) return { claims: claims.data, issuer };
  }
  throw invalidGrant("the assertion is not one of a trusted issuer for this server, or it has expired");
}
