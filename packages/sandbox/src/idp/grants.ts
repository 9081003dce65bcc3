import type { Grant, KoaContextWithOIDC } from "oidc-provider";
import type { Accounts } from "./accounts.ts";
import type { IssuerDefinition } from "./definitions.ts";

/**
 * What the signed-in user has agreed to for this client: every client here is of the same house, so that is whatever
 * the client may ask, and nobody is shown a consent page. Scopes reserved for groups are refused to others.
 */
export async function existingGrant(
  ctx: KoaContextWithOIDC,
  definition: IssuerDefinition,
  accounts: Accounts,
): Promise<Grant | undefined> {
  const { client, session, provider } = ctx.oidc;
  if (client === undefined || session?.accountId === undefined) return undefined;
  const known = session.grantIdFor(client.clientId);
  const grant =
    (known && (await provider.Grant.find(known))) ||
    new provider.Grant({ accountId: session.accountId, clientId: client.clientId });

  const asked = [...ctx.oidc.requestParamScopes];
  const groups = accounts.bySubject(session.accountId)?.groups ?? [];
  const may = (scope: string): boolean => {
    const reserved = definition.scopesForGroups[scope];
    return reserved === undefined || reserved.some((group) => groups.includes(group));
  };
  const allowed = asked.filter(may).join(" ");
  const refused = asked.filter((scope) => !may(scope)).join(" ");

  if (allowed) grant.addOIDCScope(allowed);
  if (refused) grant.rejectOIDCScope(refused);
  for (const resource of Object.keys(ctx.oidc.resourceServers ?? {})) {
    if (allowed) grant.addResourceScope(resource, allowed);
    if (refused) grant.rejectResourceScope(resource, refused);
  }
  grant.addOIDCClaims([...ctx.oidc.requestParamClaims]);
  await grant.save();
  return grant;
}
