import { signIn } from "@onbehalf/sandbox/token";
import type { Chain } from "../chain.ts";

/** What a client's script is told: where the gateway is, and who asks. */
export async function people({ urls }: Chain) {
  return {
    GATEWAY_URL: urls.gateway,
    ALICE_TOKEN: await tokenFor(urls.identityProvider, "alice"),
    BOB_TOKEN: await tokenFor(urls.identityProvider, "bob"),
    MALLORY_TOKEN: await tokenFor(urls.identityProvider, "mallory"),
  };
}

export function whereToFind() {
  const { PATH = "", HOME = "" } = process.env;
  return { PATH, HOME };
}

async function tokenFor(identityProvider: string, user: string): Promise<string> {
  const issuer = `${identityProvider}/oauth2/llm`;
  return (await signIn({ issuer, user, audience: "llm-gateway", scope: "openid llm-gateway" })).accessToken;
}
