import type { Subject } from "@onbehalf/shared-auth";
import { createExchange } from "@onbehalf/shared-auth/exchange";
import { decodeJwt, type JWTPayload } from "jose";
import { SignInError, signIn } from "../token.ts";

interface ChainWalk {
  readonly user: string;
  /** The identity provider, for example `http://localhost:9400`. */
  readonly at: string;
  /** Where Launchpad is, as its redirect is registered there. */
  readonly launchpad: string;
}

/** What one token of the chain says, and what it is. */
interface ChainToken {
  readonly token: string;
  readonly claims: JWTPayload;
}

/**
 * Makes the four tokens of one question as the services make them: signs in as Launchpad's client, then exchanges as
 * Launchpad's back end, then as Voicebox. Only their claims are given back.
 * @throws SignInError, AuthError
 */
export async function walkChain({ user, at, launchpad }: ChainWalk): Promise<ChainToken[]> {
  const login = `${at}/oauth2/default`;
  const { accessToken, idToken } = await signIn({
    issuer: login,
    user,
    clientId: "launchpad",
    clientSecret: "launchpad-secret",
    redirectUri: `${launchpad}/oauth/okta/redirect`,
    scope: "openid profile email groups offline_access",
    // A refresh token is given with consent only.
    parameters: { prompt: "consent" },
  });
  if (idToken === undefined) throw new SignInError("the sign-in brought no ID token");
  const forVoicebox = await exchange(login, "launchpad-backend", "voicebox")(subjectOf(accessToken));
  const forGateway = await exchange(`${at}/oauth2/llm`, "voicebox", "llm-gateway")(subjectOf(forVoicebox.accessToken));
  return [
    { token: "1 ID token", claims: decodeJwt(idToken) },
    { token: "2 access token of the login", claims: decodeJwt(accessToken) },
    { token: "3 for Voicebox", claims: decodeJwt(forVoicebox.accessToken) },
    { token: "4 for the gateway", claims: decodeJwt(forGateway.accessToken) },
  ];
}

/** The demo's clients have their name and `-secret` as their secret, their audience's name as its scope. */
function exchange(issuer: string, clientId: string, audience: string) {
  return createExchange({
    profile: "okta",
    issuer: { discoveryUrl: `${issuer}/.well-known/openid-configuration` },
    clientId,
    clientAuth: { method: "client_secret_basic", secret: `${clientId}-secret` },
    audience,
    scopes: [audience],
  });
}

function subjectOf(token: string): Subject {
  const { iss: issuer = "", sub: subject = "", exp: expiresAt = 0 } = decodeJwt(token);
  return { token, identity: { issuer, subject, expiresAt } };
}
