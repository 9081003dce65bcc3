import { type Problem, perhapsNamedAccessToken, shown } from "../answer.ts";
import {
  type Answer,
  type Ask,
  type ExchangeProfile,
  exchangeFields,
  type Field,
  grants,
  scopeField,
  tokenType,
} from "../profile.ts";

/**
 * Across domains, by an identity assertion authorization grant: first the user's own server turns an ID token into an
 * assertion for the other domain's server, then that server turns the assertion into an access token (RFC 7523).
 */
export const idJag: ExchangeProfile = {
  needs: { target: "required", actor: "unsupported" },
  subjectTokenType: "id_token",
  scopesGranted: "as_asked",
  userClaim: "sub",
  legs: [
    { grantType: grants.tokenExchange, fields: askAssertion, problem: assertionProblem },
    { grantType: grants.jwtBearer, fields: useAssertion, problem: perhapsNamedAccessToken },
  ],
};

function askAssertion(ask: Ask): Field[] {
  return [...exchangeFields({ ...ask, audience: [ask.farIssuer] }), ["requested_token_type", tokenType("id-jag")]];
}

function useAssertion(ask: Ask): Field[] {
  return [["assertion", ask.token], ...scopeField(ask)];
}

/** The first leg's answer is an assertion and nothing to call a service with: `N_A`. */
function assertionProblem({ issued_token_type: issued, token_type }: Answer): Problem | undefined {
  if (issued !== tokenType("id-jag")) return `issued_token_type is ${shown(issued)}`;
  return token_type === "n_a" ? undefined : `token_type is ${token_type}`;
}
