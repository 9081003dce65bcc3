import type { Actor } from "../claims.ts";
import { decideOne } from "../exchange/decide.ts";
import { noResource, onlyAccessTokens, onlyIssues } from "../exchange/request.ts";
import type { SubjectToken } from "../exchange/subject.ts";
import { tokenTypes } from "../grant-types.ts";
import { errors } from "../library.ts";
import type { Dialect, ExchangeDialect, TokenFacts } from "./dialect.ts";

/** The profile of RFC 9068, with `act` (RFC 8693, section 4.1). */
const token = (facts: TokenFacts) => ({
  header: { typ: "at+jwt" },
  payload: {
    iss: facts.issuer,
    sub: facts.subject,
    aud: facts.audiences.length === 1 ? facts.audiences[0] : [...facts.audiences],
    client_id: facts.clientId,
    scope: facts.scopes.join(" "),
    jti: facts.jti,
    iat: facts.issuedAt,
    exp: facts.expiresAt,
    ...(facts.user && { email: facts.user.email, name: facts.user.name, groups: [...facts.user.groups] }),
    ...(facts.acr && { acr: facts.acr }),
    ...(facts.actor && { act: facts.actor }),
  },
});

/** RFC 8693 by the book: who acts is the subject of the actor token, on top of those who acted before. */
const exchange: ExchangeDialect = {
  takes: ["actor"],
  accept: (request) => {
    onlyAccessTokens(request);
    onlyIssues(request, tokenTypes.accessToken, tokenTypes.jwt);
    noResource(request);
  },
  // Section 2.2.2: a subject token that is not acceptable makes the request an invalid one; most servers say grant.
  subjectRefused: ({ message }) => new errors.CustomOIDCProviderError("invalid_grant", message),
  decide: (facts) => {
    const { audience, scopes } = decideOne(facts);
    const issuedType = facts.request.requestedType ?? tokenTypes.accessToken;
    return { audiences: [audience], scopes, issuedType, actor: actorOf(facts.subject, facts.actor) };
  },
};

function actorOf(subject: SubjectToken, actor: SubjectToken | undefined): Actor | undefined {
  if (actor === undefined) return subject.actor;
  return { sub: actor.subject, ...(subject.actor && { act: subject.actor }) };
}

export const generic: Dialect = { subjectOf: ({ sub }) => sub, token, exchange };
