import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  ClientSecretBasic,
  calculatePKCECodeChallenge,
  discovery,
  randomPKCECodeVerifier,
  randomState,
} from "openid-client";

export interface Login {
  readonly issuer: string;
  readonly clientId: string;
  readonly secret: string;
  readonly redirectUri: string;
  readonly username: string;
  readonly password: string;
}

/** Signs a user in as a browser does: authorization code with PKCE, through the server's own login form. */
export async function logIn({ issuer, clientId, secret, redirectUri, username, password }: Login): Promise<string> {
  const execute = { execute: [allowInsecureRequests] };
  const configuration = await discovery(new URL(issuer), clientId, undefined, ClientSecretBasic(secret), execute);
  const pkceCodeVerifier = randomPKCECodeVerifier();
  const expectedState = randomState();
  const start = buildAuthorizationUrl(configuration, {
    redirect_uri: redirectUri,
    scope: "openid",
    state: expectedState,
    code_challenge: await calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
  });
  const page = await fetch(start, { redirect: "manual" });
  const action = /<form[^>]+action="([^"]+)"/.exec(await page.text())?.[1]?.replaceAll("&amp;", "&");
  if (action === undefined) throw new Error(`The login page has no form (${page.status}).`);
  const cookie = page.headers
    .getSetCookie()
    .map((one) => one.split(";")[0])
    .join("; ");
  const body = new URLSearchParams({ username, password, credentialId: "" });
  const answer = await fetch(action, { method: "POST", headers: { cookie }, body, redirect: "manual" });
  const location = answer.headers.get("location");
  if (location === null) throw new Error(`The login was not accepted (${answer.status}).`);
  const tokens = await authorizationCodeGrant(configuration, new URL(location), { pkceCodeVerifier, expectedState });
  return tokens.access_token;
}
