import { signIn } from "@onbehalf/sandbox/token";
import type { Chain } from "../chain.ts";

/** A person's own rows of `request_logs`, as the gateway shows them; the newest first. */
export async function requestLogs({ urls }: Chain, user: string): Promise<Record<string, unknown>[]> {
  const issuer = `${urls.identityProvider}/oauth2/default`;
  const { accessToken } = await signIn({ issuer, user, audience: "llm-gateway", scope: "openid llm-gateway" });
  const headers = { authorization: `Bearer ${accessToken}` };
  const answer = await fetch(`${urls.gateway}/audit/events?limit=100`, { headers });
  return ((await answer.json()) as { events: Record<string, unknown>[] }).events;
}
