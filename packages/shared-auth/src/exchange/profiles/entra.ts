import { perhapsNamedAccessToken } from "../answer.ts";
import { type Ask, type ExchangeProfile, type Field, grants, scopeField } from "../profile.ts";

/**
 * Microsoft Entra ID, on-behalf-of. Not RFC 8693: the token goes in as an assertion (RFC 7523 section 2.1), the target
 * is named by scope (`api://…/.default`) and never by audience, and no `issued_token_type` comes back.
 */
export const entra: ExchangeProfile = {
  needs: { audience: "unsupported", scopes: "required", resource: "unsupported", actor: "unsupported" },
  subjectTokenType: "access_token",
  scopesGranted: "server_decides",
  userClaim: "oid",
  legs: [{ grantType: grants.jwtBearer, fields: onBehalfOf, problem: perhapsNamedAccessToken }],
};

function onBehalfOf(ask: Ask): Field[] {
  return [["assertion", ask.token], ["requested_token_use", "on_behalf_of"], ...scopeField(ask)];
}
