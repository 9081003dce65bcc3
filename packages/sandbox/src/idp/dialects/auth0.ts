import { depthOf } from "../claims.ts";
import { rulesForSubject } from "../exchange/decide.ts";
import { noActor, onlyAccessTokens } from "../exchange/request.ts";
import { tokenTypes } from "../grant-types.ts";
import { errors } from "../library.ts";
import type { Dialect, ExchangeDialect, ExchangeFacts, Granted, TokenFacts } from "./dialect.ts";

/** How many actors a chain may have. */
const maxActors = 5;

const token = (facts: TokenFacts) => ({
  header: { typ: "at+jwt" },
  payload: {
    iss: facts.issuer,
    sub: facts.user === undefined ? `${facts.clientId}@clients` : facts.subject,
    aud: facts.audiences.length === 1 ? facts.audiences[0] : [...facts.audiences],
    iat: facts.issuedAt,
    exp: facts.expiresAt,
    jti: facts.jti,
    azp: facts.clientId,
    client_id: facts.clientId,
    scope: facts.scopes.join(" "),
    // Added by an Action, as tenants do; Auth0 itself puts nothing of the user into an access token.
    ...(facts.user && { email: facts.user.email, name: facts.user.name, groups: [...facts.user.groups] }),
    ...(facts.user === undefined && { gty: "client-credentials" }),
    ...(facts.acr && { acr: facts.acr }),
    ...(facts.actor && { act: facts.actor }),
  },
});

/** On-behalf-of token exchange: both types and the audience are required, and each hop adds itself to `act`. */
const exchange: ExchangeDialect = {
  accept: (request) => {
    onlyAccessTokens(request);
    noActor(request);
    if (request.requestedType !== tokenTypes.accessToken) {
      throw new errors.InvalidRequest(`requested_token_type must be ${tokenTypes.accessToken}`);
    }
    if (request.audiences.length !== 1) throw new errors.InvalidRequest("audience is required, once");
    if (request.resources.length > 0) throw new errors.InvalidRequest("resource is not supported");
  },
  subjectRefused: ({ message }) => new errors.CustomOIDCProviderError("invalid_grant", message),
  decide,
  // The scope is only told where it is not the one asked for.
  answer: ({ scopes }, { request }) =>
    request.scopes.length > 0 && scopes.join(" ") === request.scopes.join(" ") ? { scope: undefined } : {},
};

/** Scopes are what the user may have: those asked for beyond that are left out, not refused. */
function decide(facts: ExchangeFacts): Granted {
  const { clientId, request, subject } = facts;
  const fitting = rulesForSubject(facts, (why) => new errors.CustomOIDCProviderError("invalid_grant", why));
  const [asked = ""] = request.audiences;
  const rule = fitting.find(({ audience }) => audience === asked);
  if (rule === undefined) {
    const unknown = new errors.CustomOIDCProviderError("access_denied", `Service not found: ${asked}`);
    throw Object.assign(unknown, { status: 403, statusCode: 403 });
  }
  if (depthOf(subject.actor) >= maxActors) {
    throw new errors.InvalidRequest(`the delegation chain is limited to ${maxActors} actors`);
  }
  const scopes =
    request.scopes.length === 0 ? rule.scopes : request.scopes.filter((scope) => rule.scopes.includes(scope));
  const actor = { sub: clientId, ...(subject.actor && { act: subject.actor }) };
  return { audiences: [asked], scopes, issuedType: tokenTypes.accessToken, actor };
}

export const auth0: Dialect = { subjectOf: ({ sub }) => `auth0|${sub}`, token, exchange };
