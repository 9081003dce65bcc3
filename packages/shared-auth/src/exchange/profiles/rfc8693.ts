import { namedAccessToken } from "../answer.ts";
import { type ExchangeProfile, exchangeFields, grants } from "../profile.ts";

/** Token exchange by the book (RFC 8693 section 2): `issued_token_type` is required in the answer. */
export const rfc8693: ExchangeProfile = {
  needs: {},
  subjectTokenType: "access_token",
  scopesGranted: "as_asked",
  userClaim: "sub",
  badSubject: /^invalid_request .*(subject|token)/i,
  legs: [{ grantType: grants.tokenExchange, fields: exchangeFields, problem: namedAccessToken }],
};
