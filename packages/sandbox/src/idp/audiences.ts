import type { KoaContextWithOIDC, ResourceServer } from "oidc-provider";
import { type IssuerDefinition, identityScopes } from "./definitions.ts";
import { errors } from "./library.ts";

/*
 * The library knows resource indicators (RFC 8707), which must be absolute URIs; our audiences are plain names, as in
 * Okta. So an audience is carried through the library as a URI of this form.
 */
const prefix = "urn:onbehalf:audience:";

/** An audience as a resource indicator (RFC 8707), which has to be a URI. */
export const resourceOf = (audience: string): string => `${prefix}${encodeURIComponent(audience)}`;

/** @throws InvalidTarget for a resource indicator that is not one of ours */
export function audienceOf(resource: string): string {
  if (!resource.startsWith(prefix))
    throw new errors.InvalidTarget("resource is not known here; name an audience instead");
  return decodeURIComponent(resource.slice(prefix.length));
}

/**
 * What the library must know to issue an access token for an audience.
 * @throws InvalidTarget for an audience the issuer does not serve
 */
export function resourceServer(definition: IssuerDefinition, audience: string): ResourceServer {
  if (!Object.hasOwn(definition.audiences, audience)) {
    const known = Object.keys(definition.audiences).join(", ");
    throw new errors.InvalidTarget(`audience ${JSON.stringify(audience)} is not served here; served are: ${known}`);
  }
  return {
    audience,
    // Any scope of the server may be asked for with any audience: Okta's scopes belong to the server, too.
    scope: scopesOf(definition).join(" "),
    accessTokenFormat: "jwt",
    jwt: { sign: { alg: "RS256" } },
  };
}

/** Every scope the issuer knows. */
export function scopesOf(definition: IssuerDefinition): string[] {
  return [...new Set([...identityScopes, ...Object.values(definition.audiences).flat()])];
}

/** The audience a request asks for; the client's first when it asks for none. @throws InvalidTarget */
export function wantedAudience(
  ctx: KoaContextWithOIDC,
  definition: IssuerDefinition,
  clientId: string | undefined,
): string {
  const asked = ctx.oidc.params?.audience ?? definition.clients[clientId ?? ""]?.audiences[0];
  if (typeof asked !== "string") throw new errors.InvalidTarget("this client has no audience of its own");
  return allowedAudience(definition, clientId, asked);
}

/** @throws InvalidTarget unless the client may have tokens for the audience */
export function allowedAudience(definition: IssuerDefinition, clientId: string | undefined, audience: string): string {
  if (definition.clients[clientId ?? ""]?.audiences.includes(audience)) return audience;
  throw new errors.InvalidTarget(`this client may not ask for audience ${JSON.stringify(audience)}`);
}
