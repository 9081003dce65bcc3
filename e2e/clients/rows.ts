import { signIn } from "@onbehalf/sandbox/token";
import type { Chain } from "../chain.ts";

/** As the person's own sign-in gives it. */
export async function gatewayToken({ urls }: Chain, user: string): Promise<string> {
  const issuer = `${urls.identityProvider}/oauth2/default`;
  return (await signIn({ issuer, user, audience: "llm-gateway", scope: "openid llm-gateway" })).accessToken;
}

/** A person's own rows of `request_logs`, as the gateway shows them; the newest first. */
export async function requestLogs(chain: Chain, user: string): Promise<Record<string, unknown>[]> {
  const headers = { authorization: `Bearer ${await gatewayToken(chain, user)}` };
  const answer = await fetch(`${chain.urls.gateway}/audit/events?limit=100`, { headers });
  return ((await answer.json()) as { events: Record<string, unknown>[] }).events;
}
