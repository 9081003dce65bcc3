import { signIn } from "@onbehalf/sandbox/token";
import { createExchange, type ExchangeOptions } from "@onbehalf/shared-auth/exchange";
import { decodeJwt } from "jose";

export interface Way {
  /** Issuer at the sandbox's provider. */
  readonly issuer: string;
  readonly profile: ExchangeOptions["profile"];
  /** The client that exchanges for Voicebox. */
  readonly backend: string;
  readonly audience?: readonly string[] | undefined;
  readonly scopes: readonly string[];
}

const usual: Way = {
  issuer: "default",
  profile: "okta",
  backend: "launchpad-backend",
  audience: ["voicebox"],
  scopes: ["voicebox"],
};

/** A token for Voicebox as Launchpad gets it: the user really signs in, and the login is exchanged. */
export async function voiceboxToken(provider: string, user: string, way: Way = usual): Promise<string> {
  const issuer = `${provider}/oauth2/${way.issuer}`;
  const { accessToken } = await signIn({ issuer, user });
  const exchange = createExchange({
    profile: way.profile,
    issuer: { discoveryUrl: `${issuer}/.well-known/openid-configuration` },
    clientId: way.backend,
    clientAuth: { method: "client_secret_basic", secret: `${way.backend}-secret` },
    ...(way.audience === undefined ? {} : { audience: way.audience }),
    scopes: way.scopes,
  });
  const soon = Math.floor(Date.now() / 1000) + 600;
  return (
    await exchange({
      token: accessToken,
      identity: { issuer, subject: decodeJwt(accessToken).sub ?? user, expiresAt: soon },
    })
  ).accessToken;
}
