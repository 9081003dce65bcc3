import { createHash, randomBytes } from "node:crypto";

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

export interface SignedIn {
  readonly accessToken: string;
  readonly idToken: string | undefined;
  readonly refreshToken: string | undefined;
  /** The token endpoint's whole answer. */
  readonly response: TokenResponse;
}

/** The token endpoint's answer (RFC 6749, section 5.1). */
export interface TokenResponse {
  readonly access_token: string;
  readonly token_type: string;
  readonly expires_in: number;
  readonly scope?: string;
  readonly id_token?: string;
  readonly refresh_token?: string;
}

/** Signing in did not end with a token; the message says where it stopped, in words. */
export class SignInError extends Error {
  override readonly name = "SignInError";
}

const maxSteps = 10;
const stepTimeoutMs = 10_000;
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

/**
 * From an authorization request to the redirect back to the client, through the login form where it is shown.
 * @param cookies of the browser that is imagined here; handed in again, its session goes on
 * @returns where the client is answered
 * @throws SignInError with what the page says when there is no way on
 */
export async function walkSignIn(
  start: URL,
  redirectUri: string,
  { user, password = user }: Pick<SignIn, "user" | "password">,
  cookies: Map<string, string> = new Map(),
): Promise<URL> {
  let url = start;
  let form: URLSearchParams | undefined;
  let submitted = false;
  for (let step = 0; step < maxSteps; step += 1) {
    const response = await send(url, { cookies, form });
    form = undefined;
    const location = response.headers.get("location");
    if (location !== null) {
      url = new URL(location, url);
      if (url.href.startsWith(redirectUri)) return url;
      continue;
    }
    const page = await response.text();
    if (submitted || !response.ok || !page.includes('name="password"'))
      throw new SignInError(problemOn(page, response));
    form = new URLSearchParams({ form_token: formTokenOn(page), username: user, password });
    submitted = true;
  }
  throw new SignInError("the sign-in went round in circles; restart the sandbox and try again");
}

async function send(url: URL, { cookies, form }: { cookies: Map<string, string>; form: URLSearchParams | undefined }) {
  const response = await fetch(url, {
    method: form === undefined ? "GET" : "POST",
    redirect: "manual",
    signal: AbortSignal.timeout(stepTimeoutMs),
    headers: { accept: "text/html", cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") },
    ...(form === undefined ? {} : { body: form }),
  });
  for (const line of response.headers.getSetCookie()) keep(cookies, line);
  return response;
}

/** Cookie paths are left aside: within one sign-in the names do not meet. */
function keep(cookies: Map<string, string>, line: string): void {
  const [, name, value] = /^([^=;]+)=([^;]*)/.exec(line) ?? [];
  if (name === undefined || value === undefined) return;
  if (value === "" || /expires=Thu, 01 Jan 1970/i.test(line)) cookies.delete(name);
  else cookies.set(name, value);
}

function formTokenOn(page: string): string {
  const token = /name="form_token" value="([^"]+)"/.exec(page)?.[1];
  if (token === undefined)
    throw new SignInError("the sign-in page is not the sandbox's; check the address of the issuer");
  return token;
}

/** What the page or the error document says went wrong. */
function problemOn(page: string, response: Response): string {
  const onPage = /<dd id="reason">([^<]+)</.exec(page)?.[1] ?? /<p class="problem"[^>]*>([^<]+)</.exec(page)?.[1];
  const inDocument = /"(?:error_description|message)":"([^"]+)"/.exec(page)?.[1];
  return unescaped(
    onPage ?? inDocument ?? `the identity provider answered ${response.status} to ${new URL(response.url).pathname}`,
  );
}

const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };
const unescaped = (text: string): string =>
  text.replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => entities[name] ?? "");

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
