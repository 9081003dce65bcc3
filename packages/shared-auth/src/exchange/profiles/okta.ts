import { namedAccessToken } from "../answer.ts";
import { type ExchangeProfile, exchangeFields, grants } from "../profile.ts";

/**
 * Okta, custom authorization servers. The request goes to the server of the *target*; `audience` is that server's own.
 * The issued token's `sub` is the login, `cid` the exchanging client, `scp` a list, and there is no `act`.
 */
export const okta: ExchangeProfile = {
  needs: { audience: "required", scopes: "required", resource: "unsupported" },
  subjectTokenType: "access_token",
  scopesGranted: "as_asked",
  userClaim: "sub",
  legs: [{ grantType: grants.tokenExchange, fields: exchangeFields, problem: namedAccessToken }],
};
