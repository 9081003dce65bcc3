import { namedAccessToken } from "../answer.ts";
import { type ExchangeProfile, exchangeFields, grants } from "../profile.ts";

/**
 * Keycloak standard token exchange, version 2 (26.2 and later; tried with 26.4). The requesting client must be in the
 * `aud` of the subject's token, else `access_denied`; `audience` names client ids and only filters what the scopes give,
 * and an unknown one is answered with `invalid_client`. The client's default scopes come on top of what is asked. Actors
 * are not supported.
 */
export const keycloak: ExchangeProfile = {
  needs: { resource: "unsupported", actor: "unsupported" },
  subjectTokenType: "access_token",
  scopesGranted: "server_decides",
  userClaim: "sub",
  // Seen with 26.4, for a token that is malformed, expired, revoked, or of a session that has ended.
  badSubject: /^invalid_request Invalid token$/,
  legs: [{ grantType: grants.tokenExchange, fields: exchangeFields, problem: namedAccessToken }],
};
