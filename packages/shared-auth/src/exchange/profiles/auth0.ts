import { namedAccessToken } from "../answer.ts";
import { type Ask, type ExchangeProfile, exchangeFields, type Field, grants, tokenType } from "../profile.ts";

/**
 * Auth0, on-behalf-of token exchange: both token types and one audience are required. Delegation nests in `act`, at
 * most five deep. (Auth0's *custom* token exchange is another thing, and refuses `requested_token_type`.)
 */
export const auth0: ExchangeProfile = {
  needs: { audience: "required", resource: "unsupported", actor: "unsupported" },
  subjectTokenType: "access_token",
  scopesGranted: "as_asked",
  userClaim: "sub",
  legs: [{ grantType: grants.tokenExchange, fields, problem: namedAccessToken }],
};

function fields(ask: Ask): Field[] {
  return [...exchangeFields(ask), ["requested_token_type", tokenType("access_token")]];
}
