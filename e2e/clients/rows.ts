import { signIn } from "@onbehalf/sandbox/token";
import type { Chain } from "../chain.ts";

/** As the person's own sign-in gives it. */
export async function gatewayToken({ urls }: Chain, user: string): Promise<string> {
  const issuer = `${urls.identityProvider}/oauth2/default`;
  return (await signIn({ issuer, user, audience: "llm-gateway", scope: "openid llm-gateway" })).accessToken;
}

/** A person's own rows of `request_logs`, as the gateway shows them; the newest first. */
export async function requestLogs(chain: Chain, user: string): Promise<Record<string, unknown>[]> {
  return rowsOf(chain.urls.gateway, await gatewayToken(chain, user));
}

/** The rows of whoever a token is for. @param filter as `GET /audit/events` takes it */
export async function rowsOf(
  gateway: string,
  token: string,
  filter: Readonly<Record<string, string>> = {},
): Promise<Record<string, unknown>[]> {
  const query = new URLSearchParams({ limit: "100", ...filter });
  const answer = await fetch(`${gateway}/audit/events?${query}`, { headers: { authorization: `Bearer ${token}` } });
  return ((await answer.json()) as { events: Record<string, unknown>[] }).events;
}
