import { createHash, randomBytes } from "node:crypto";
import { problemOn, SignInError, stepTimeoutMs, walkSignIn } from "./idp/walk.ts";

export { SignInError, walkDevice, walkSignIn } from "./idp/walk.ts";

/** What to sign in for. */
export interface SignIn {
  /** For example `http://localhost:9400/oauth2/default`. */
  readonly issuer: string;
  readonly user: string;
  /** The user's name when absent, as it is in the sandbox. */
  readonly password?: string;
  readonly clientId?: string;
  /** Absent for a public client. */
  readonly clientSecret?: string;
  /** Whom the access token is for; the client's first audience when absent. */
  readonly audience?: string;
  readonly scope?: string;
  readonly redirectUri?: string;
  /** Cookies of the browser imagined here, by name; handed in again, its session goes on. */
  readonly cookies?: Map<string, string>;
  /** Further parameters of the authorization request, for example `acr_values`. */
  readonly parameters?: Readonly<Record<string, string>>;
}

/** What a login gave. */
export interface SignedIn {
  readonly accessToken: string;
  /** Only with the scope `openid`. */
  readonly idToken: string | undefined;
  /** Only with the scope `offline_access`. */
  readonly refreshToken: string | undefined;
  /** The token endpoint's whole answer. */
  readonly response: TokenResponse;
}

/** The token endpoint's answer (RFC 6749 section 5.1); `expires_in` in seconds. */
export interface TokenResponse {
  readonly access_token: string;
  readonly token_type: string;
  readonly expires_in: number;
  readonly scope?: string;
  readonly id_token?: string;
  readonly refresh_token?: string;
}

export const defaultScope = "openid profile email groups";

/**
 * Walks the login as a browser does: authorization request with PKCE, login form, redirects with cookies, code, token.
 * @throws SignInError saying where it stopped
 */
export async function signIn(request: SignIn): Promise<SignedIn> {
  const clientId = request.clientId ?? "sandbox-cli";
  const redirectUri = request.redirectUri ?? "http://127.0.0.1/callback";
  const scope = request.scope ?? defaultScope;
  const verifier = randomBytes(32).toString("base64url");
  const state = randomBytes(16).toString("base64url");
  const authorize = new URL(`${request.issuer}/v1/authorize`);
  authorize.search = new URLSearchParams({
    response_type: "code",
    client_id: clientId,
    redirect_uri: redirectUri,
    scope,
    state,
    // A nonce is for the ID token, which comes with the scope openid only.
    ...(scope.split(" ").includes("openid") ? { nonce: randomBytes(16).toString("base64url") } : {}),
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
    ...(request.audience === undefined ? {} : { audience: request.audience }),
    ...request.parameters,
  }).toString();

  const callback = await walkSignIn(authorize, redirectUri, request, request.cookies);
  const code = codeOf(callback, state, request.issuer);
  const grant = { client_id: clientId, redirect_uri: redirectUri, code_verifier: verifier, code };
  const response = await tokenFor(request, grant);
  return {
    accessToken: response.access_token,
    idToken: response.id_token,
    refreshToken: response.refresh_token,
    response,
  };
}

function codeOf(callback: URL, state: string, issuer: string): string {
  const { searchParams } = callback;
  const error = searchParams.get("error");
  if (error !== null)
    throw new SignInError(`${error}: ${searchParams.get("error_description") ?? "no reason was given"}`);
  if (searchParams.get("state") !== state) throw new SignInError("the answer's state is not the one that was sent");
  if (searchParams.get("iss") !== issuer) throw new SignInError("the answer is of another issuer (RFC 9207)");
  return searchParams.get("code") ?? "";
}

async function tokenFor({ issuer, clientSecret }: SignIn, parameters: Record<string, string>): Promise<TokenResponse> {
  const secret = clientSecret === undefined ? {} : { client_secret: clientSecret };
  const response = await fetch(`${issuer}/v1/token`, {
    method: "POST",
    headers: { accept: "application/json" },
    signal: AbortSignal.timeout(stepTimeoutMs),
    body: new URLSearchParams({ grant_type: "authorization_code", ...parameters, ...secret }),
  });
  const body = await response.text();
  if (!response.ok) throw new SignInError(`the token endpoint refused: ${problemOn(body, response)}`);
  return JSON.parse(body) as TokenResponse;
}
