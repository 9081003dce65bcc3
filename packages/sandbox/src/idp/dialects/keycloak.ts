import { rulesForSubject } from "../exchange/decide.ts";
import { noActor, onlyAccessTokens } from "../exchange/request.ts";
import { tokenTypes } from "../grant-types.ts";
import { errors } from "../library.ts";
import type { Dialect, ExchangeDialect, ExchangeFacts, Granted, TokenFacts } from "./dialect.ts";

/** Scopes every client has without asking. */
const defaultScopes = ["email", "profile"];

/** The kind of token is in the claim `typ`, the client is `azp`, realm roles have a place of their own. */
const token = (facts: TokenFacts) => ({
  header: { typ: "JWT" },
  payload: {
    exp: facts.expiresAt,
    iat: facts.issuedAt,
    jti: facts.jti,
    iss: facts.issuer,
    aud: facts.audiences.length === 1 ? facts.audiences[0] : [...facts.audiences],
    sub: facts.subject,
    typ: "Bearer",
    azp: facts.clientId,
    ...(facts.sessionId && { sid: facts.sessionId }),
    acr: facts.acr ?? "1",
    scope: facts.scopes.join(" "),
    ...person(facts),
  },
});

function person({ user, clientId }: TokenFacts): Record<string, unknown> {
  // A client's own token is one of a user made for it, told apart by name only.
  if (user === undefined) return { preferred_username: `service-account-${clientId}`, client_id: clientId };
  return {
    realm_access: { roles: ["default-roles-onbehalf", ...user.groups] },
    groups: [...user.groups],
    preferred_username: user.username,
    email: user.email,
    email_verified: true,
    name: user.name,
    given_name: user.given_name,
    family_name: user.family_name,
  };
}

/** Standard token exchange, version 2 (26.2): codes and words of its server. */
const exchange: ExchangeDialect = {
  accept: (request) => {
    onlyAccessTokens(request);
    noActor(request);
    if (request.resources.length > 0) throw new errors.InvalidRequest("Parameter 'resource' not supported");
    const { requestedType } = request;
    if (
      requestedType !== undefined &&
      requestedType !== tokenTypes.accessToken &&
      requestedType !== tokenTypes.idToken
    ) {
      throw new errors.InvalidRequest("requested_token_type unsupported");
    }
  },
  subjectRefused: () => new errors.InvalidRequest("Invalid token"),
  decide,
  answer: (_granted, { subject }) => ({
    ...(subject.sessionId && { session_state: subject.sessionId }),
    refresh_expires_in: 0,
    "not-before-policy": 0,
  }),
};

/** `audience` only filters the audiences the client has anyway; without it the token has all of them. */
function decide(facts: ExchangeFacts): Granted {
  const { clientId, request, subject } = facts;
  const isOurs = subject.clientId === clientId || subject.audiences.includes(clientId);
  const notWithin = () => accessDenied("Client is not within the token audience");
  if (!isOurs) throw notWithin();
  const fitting = rulesForSubject(facts, notWithin);

  const known = [...defaultScopes, "openid", "groups", ...fitting.flatMap(({ scopes }) => scopes)];
  if (request.scopes.some((scope) => !known.includes(scope))) {
    const asked = request.scopes.join(" ");
    throw new errors.InvalidScope(`Invalid scopes: ${asked}`, asked);
  }
  const available = [...new Set(fitting.map(({ audience }) => audience))];
  const missing = request.audiences.filter((audience) => !available.includes(audience));
  if (missing.length > 0) throw new errors.InvalidRequest(`Requested audience not available: ${missing.join(" ")}`);
  const [first = available[0] ?? clientId, ...more] = request.audiences.length > 0 ? request.audiences : available;
  return {
    audiences: [first, ...more],
    scopes: [...new Set([...defaultScopes, ...request.scopes])],
    issuedType: request.requestedType ?? tokenTypes.accessToken,
  };
}

function accessDenied(description: string): Error {
  return Object.assign(new errors.CustomOIDCProviderError("access_denied", description), {
    status: 403,
    statusCode: 403,
  });
}

export const keycloak: Dialect = { subjectOf: ({ oid }) => oid, profileClaims: ["groups"], token, exchange };
