/** Signing in did not end with a token; the message says where it stopped, in words. */
export class SignInError extends Error {
  override readonly name = "SignInError";
}

export interface Credentials {
  readonly user: string;
  /** The user's name when absent, as it is in the sandbox. */
  readonly password?: string;
}

const maxSteps = 10;
/** For each request of a login: the provider is on this machine. */
export const stepTimeoutMs = 10_000;

/**
 * From an authorization request to the redirect back to the client, through the login form where it is shown.
 * @param cookies of the browser that is imagined here; handed in again, its session goes on
 * @returns where the client is answered
 * @throws SignInError with what the page says when there is no way on
 */
export async function walkSignIn(
  start: URL,
  redirectUri: string,
  { user, password = user }: Credentials,
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

/**
 * What somebody does in their browser who signs in a device: opens the link with the code, confirms the code, signs in.
 * @param verificationUriComplete as the device authorization endpoint gave it (RFC 8628, section 3.2)
 * @param cookies as above
 * @throws SignInError with what the page says when there is no way on
 */
export async function walkDevice(
  verificationUriComplete: string | URL,
  { user, password = user }: Credentials,
  cookies: Map<string, string> = new Map(),
): Promise<void> {
  let url = new URL(verificationUriComplete);
  let form: URLSearchParams | undefined;
  const done = new Set<"confirm" | "password">();
  for (let step = 0; step < maxSteps; step += 1) {
    const response = await send(url, { cookies, form });
    form = undefined;
    const location = response.headers.get("location");
    if (location !== null) {
      url = new URL(location, url);
      continue;
    }
    const page = await response.text();
    if (page.includes('id="device-done"')) return;
    const asks = (["confirm", "password"] as const).find((field) => page.includes(`name="${field}"`));
    if (asks === undefined && response.ok && page.includes('id="user_code"'))
      throw new SignInError("the address brings no code; take verification_uri_complete");
    if (asks === undefined || done.has(asks) || !response.ok) throw new SignInError(problemOn(page, response));
    done.add(asks);
    form = new URLSearchParams(
      asks === "password"
        ? { form_token: formTokenOn(page), username: user, password }
        : { xsrf: hidden(page, "xsrf"), user_code: hidden(page, "user_code"), confirm: "yes" },
    );
    if (asks === "confirm") url = new URL(url.pathname, url);
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

const formTokenOn = (page: string): string => hidden(page, "form_token");

function hidden(page: string, field: "form_token" | "xsrf" | "user_code"): string {
  const value = new RegExp(`type="hidden" name="${field}" value="([^"]+)"`).exec(page)?.[1];
  if (value === undefined)
    throw new SignInError("the sign-in page is not the sandbox's; check the address of the issuer");
  return value;
}

/** What the page or the error document says went wrong. */
export function problemOn(page: string, response: Response): string {
  const onPage = /<dd id="reason">([^<]+)</.exec(page)?.[1] ?? /<p class="problem"[^>]*>([^<]+)</.exec(page)?.[1];
  const inDocument = /"(?:error_description|message)":"([^"]+)"/.exec(page)?.[1];
  return unescaped(
    onPage ?? inDocument ?? `the identity provider answered ${response.status} to ${new URL(response.url).pathname}`,
  );
}

const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };
const unescaped = (text: string): string =>
  text.replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => entities[name] ?? "");
