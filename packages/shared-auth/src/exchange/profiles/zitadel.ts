import { namedAccessToken } from "../answer.ts";
import { type Ask, type ExchangeProfile, exchangeFields, type Field, grants, tokenType } from "../profile.ts";

/**
 * Zitadel. An access token asked for is opaque; asked for as a JWT it can be verified by the next hop. `audience` can
 * only shrink, and any `resource` is refused.
 */
export const zitadel: ExchangeProfile = {
  needs: { resource: "unsupported" },
  subjectTokenType: "access_token",
  scopesGranted: "as_asked",
  userClaim: "sub",
  badSubject: /^invalid_request .*subject_token/i,
  legs: [{ grantType: grants.tokenExchange, fields, problem: namedAccessToken }],
};

function fields(ask: Ask): Field[] {
  return [...exchangeFields(ask), ["requested_token_type", tokenType("jwt")]];
}
