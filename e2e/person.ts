/** Someone at a browser, as far as HTTP goes: keeps cookies, follows redirects, fills in the login form. */
export interface Person {
  /** Signs in at Launchpad by its provider's real login page, and comes back to `returnTo`. */
  signIn(user: string, returnTo?: string): Promise<Response>;
  /** A request with this person's cookies; redirects are not followed. */
  fetch(url: string, init?: RequestInit): Promise<Response>;
  /** As a page of Launchpad itself would send it: with its Origin. */
  post(path: string, body: unknown, init?: RequestInit): Promise<Response>;
  readonly cookies: ReadonlyMap<string, string>;
}

const maxRedirects = 12;

export function createPerson(launchpadUrl: string): Person {
  const cookies = new Map<string, string>();

  async function send(url: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set("cookie", [...cookies].map(([name, value]) => `${name}=${value}`).join("; "));
    const response = await fetch(url, { ...init, headers, redirect: "manual" });
    for (const line of response.headers.getSetCookie()) keep(line);
    return response;
  }

  function keep(line: string): void {
    const [pair = "", ...attributes] = line.split(";");
    const at = pair.indexOf("=");
    const name = pair.slice(0, at).trim();
    const gone = attributes.some((text) => /^\s*(max-age=0|expires=thu, 01 jan 1970)/i.test(text));
    if (gone) cookies.delete(name);
    else cookies.set(name, pair.slice(at + 1));
  }

  async function follow(first: string, init?: RequestInit): Promise<{ response: Response; url: string }> {
    let url = first;
    let response = await send(url, init);
    for (let hop = 0; hop < maxRedirects && response.status >= 300 && response.status < 400; hop += 1) {
      url = new URL(response.headers.get("location") ?? "", url).href;
      response = await send(url);
    }
    return { response, url };
  }

  return {
    cookies,
    fetch: send,
    post: (path, body, init = {}) =>
      send(new URL(path, launchpadUrl).href, {
        method: "POST",
        body: JSON.stringify(body),
        ...init,
        headers: { "content-type": "application/json", origin: launchpadUrl, ...init.headers },
      }),
    async signIn(user, returnTo = "/") {
      const { response, url } = await follow(`${launchpadUrl}/login?return_to=${encodeURIComponent(returnTo)}`);
      const page = await response.text();
      const form = fillIn(page, user);
      if (form === undefined) throw new Error(`no login form at ${url}: ${response.status} ${page.slice(0, 300)}`);
      const body = new URLSearchParams(form.fields);
      const origin = new URL(url).origin;
      const signedIn = await follow(new URL(form.action, url).href, { method: "POST", body, headers: { origin } });
      return signedIn.response;
    },
  };
}

/** Fills in the form that asks for a password; the password of every demo user is the name. */
function fillIn(page: string, user: string): { action: string; fields: Record<string, string> } | undefined {
  const form = /<form\b[^>]*>[\s\S]*?<\/form>/gi;
  const text = [...page.matchAll(form)].map(([found]) => found).find((found) => /type="?password/i.test(found));
  if (text === undefined) return undefined;
  const attribute = (tag: string, name: string): string | undefined =>
    new RegExp(`\\s${name}="([^"]*)"`, "i").exec(tag)?.[1]?.replaceAll("&amp;", "&");
  const fields: Record<string, string> = {};
  for (const [tag] of text.matchAll(/<input\b[^>]*>/gi)) {
    const name = attribute(tag, "name");
    if (name === undefined) continue;
    const type = attribute(tag, "type") ?? "text";
    fields[name] = type === "hidden" ? (attribute(tag, "value") ?? "") : user;
  }
  return { action: attribute(text, "action") ?? "", fields };
}
