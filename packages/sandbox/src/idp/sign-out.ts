import type { Adapter, Client, Provider } from "oidc-provider";
import type { State } from "./state.ts";

interface SignOutParts {
  readonly issuer: string;
  readonly provider: Provider;
  readonly state: State;
  readonly storage: (model: string) => Adapter;
}

/** What an administrator's "end this user's sessions" does. */
export interface SignedOut {
  readonly sessions: number;
  /** Clients that took the logout token, and those that did not. */
  readonly told: readonly string[];
  readonly failed: readonly string[];
}

type Told = Client & { backchannelLogout(subject: string, sid: string): Promise<void> };

/**
 * Ends all sessions of a user at one issuer: what hangs on them is revoked, and the clients are told by logout tokens
 * (OpenID Connect Back-Channel Logout, section 2.5).
 */
export async function signOutEverywhere(parts: SignOutParts, subject: string): Promise<SignedOut> {
  const { provider, state, storage, issuer } = parts;
  const [told, failed]: [string[], string[]] = [[], []];
  const ids = state.idsOf(issuer, "Session", subject);
  for (const id of ids) {
    const session = await provider.Session.find(id);
    for (const [clientId, { sid, grantId }] of Object.entries(session?.authorizations ?? {})) {
      if (grantId !== undefined) await storage("AccessToken").revokeByGrantId(grantId);
      if (grantId !== undefined) await storage("Grant").destroy(grantId);
      const client = (await provider.Client.find(clientId)) as Told | undefined;
      if (client?.backchannelLogoutUri === undefined) continue;
      await client.backchannelLogout(subject, sid ?? "").then(
        () => told.push(clientId),
        () => failed.push(clientId),
      );
    }
    await session?.destroy();
  }
  return { sessions: ids.length, told, failed };
}
