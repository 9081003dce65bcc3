import { decideOne } from "../exchange/decide.ts";
import { noActor, noResource, onlyAccessTokens, onlyIssues } from "../exchange/request.ts";
import { tokenTypes } from "../grant-types.ts";
import { errors } from "../library.ts";
import type { Dialect, ExchangeDialect, TokenFacts } from "./dialect.ts";

/** A custom authorization server of Okta: `scp` is a list, `cid` the client, `uid` Okta's key of the user; no `act`. */
const token = (facts: TokenFacts) => ({
  header: { typ: "at+jwt" },
  payload: {
    ver: 1,
    jti: facts.jti,
    iss: facts.issuer,
    aud: facts.audiences[0],
    sub: facts.subject,
    iat: facts.issuedAt,
    exp: facts.expiresAt,
    cid: facts.clientId,
    scp: [...facts.scopes],
    ...(facts.user && {
      uid: facts.user.uid,
      email: facts.user.email,
      name: facts.user.name,
      groups: [...facts.user.groups],
    }),
    ...(facts.acr && { acr: facts.acr }),
  },
});

const exchange: ExchangeDialect = {
  accept: (request) => {
    onlyAccessTokens(request);
    onlyIssues(request, tokenTypes.accessToken);
    noActor(request);
    noResource(request);
    if (request.audiences.length === 0)
      throw new errors.InvalidRequest("audience is missing: name the target server's");
    if (request.scopes.length === 0) {
      throw new errors.InvalidScope("this server has no default scopes; scope must be given", "");
    }
  },
  subjectRefused: ({ message }) => new errors.CustomOIDCProviderError("invalid_grant", message),
  decide: (facts) => {
    const { audience, scopes } = decideOne(facts);
    return { audiences: [audience], scopes, issuedType: tokenTypes.accessToken };
  },
};

export const okta: Dialect = { subjectOf: ({ sub }) => sub, token, exchange };
