import { signIn } from "@onbehalf/sandbox/token";
import type { Chain } from "../chain.ts";

export type Hop = "launchpad" | "voicebox" | "gateway";

export const hops: readonly Hop[] = ["launchpad", "voicebox", "gateway"];

const targets = {
  launchpad: { audience: "launchpad", scope: "openid profile email groups" },
  voicebox: { audience: "voicebox", scope: "openid profile email groups voicebox" },
  gateway: { audience: "llm-gateway", scope: "openid profile email groups llm-gateway" },
} as const;

/** A person's own access token for one of the services, from the provider's real login. */
export async function tokenFor(chain: Chain, hop: Hop, user = "alice", server = "default"): Promise<string> {
  const issuer = `${chain.urls.identityProvider}/oauth2/${server}`;
  return (await signIn({ issuer, user, ...targets[hop] })).accessToken;
}

/** Asks a hop for something that only a verified caller gets, and that goes no further. */
export async function knock(chain: Chain, hop: Hop, token: string): Promise<Response> {
  const path = { launchpad: "/api/v1/app", voicebox: `/api/trail/${"0".repeat(32)}`, gateway: "/v1/models" }[hop];
  const application: Record<string, string> =
    hop === "launchpad" ? { "x-voicebox-app-key": await chain.appKey(), "x-client-id": "threats" } : {};
  return fetch(chain.urls[hop] + path, { headers: { authorization: `Bearer ${token}`, ...application } });
}
