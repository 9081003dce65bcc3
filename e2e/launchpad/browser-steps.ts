import type { Stage } from "./stage.ts";

/** Cookies as one browser keeps them: by name, for all of localhost. */
export type Jar = Map<string, string>;

/** One request with a jar's cookies; redirects are not followed. */
export async function step(jar: Jar, url: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set("cookie", [...jar].map(([name, value]) => `${name}=${value}`).join("; "));
  const response = await fetch(url, { ...init, headers, redirect: "manual" });
  for (const line of response.headers.getSetCookie()) {
    const [pair = ""] = line.split(";");
    const at = pair.indexOf("=");
    if (/max-age=0|expires=thu, 01 jan 1970/i.test(line)) jar.delete(pair.slice(0, at));
    else jar.set(pair.slice(0, at), pair.slice(at + 1));
  }
  return response;
}

/** Walks a login up to, but not into, Launchpad's callback: gives the address the browser would go to. */
export async function walkToCallback(stage: Stage, jar: Jar, user: string, login = "/login"): Promise<string> {
  let url = new URL(login, stage.publicUrl).href;
  let response = await step(jar, url);
  for (let hop = 0; hop < 12; hop += 1) {
    const location = response.headers.get("location");
    if (location !== null) {
      url = new URL(location, url).href;
      if (url.startsWith(`${stage.publicUrl}/oauth/`)) return url;
      response = await step(jar, url);
      continue;
    }
    const page = await response.text();
    const form = [...page.matchAll(/<form\b[^>]*>[\s\S]*?<\/form>/gi)]
      .map(([text]) => text)
      .find((text) => text.includes("password"));
    if (form === undefined) throw new Error(`no login form at ${url}: ${response.status} ${page.slice(0, 200)}`);
    const action = /action="([^"]*)"/.exec(form)?.[1]?.replaceAll("&amp;", "&") ?? url;
    const fields = new URLSearchParams();
    for (const [tag] of form.matchAll(/<input\b[^>]*>/gi)) {
      const name = /\sname="([^"]*)"/.exec(tag)?.[1];
      if (name === undefined) continue;
      fields.set(name, /type="?hidden/.test(tag) ? (/\svalue="([^"]*)"/.exec(tag)?.[1] ?? "") : user);
    }
    const target = new URL(action, url).href;
    response = await step(jar, target, { method: "POST", body: fields, headers: { origin: new URL(url).origin } });
    url = target;
  }
  throw new Error("the login went round in circles");
}

export const sessionCookie = "onbehalf_session";

/** Status of `GET /api/session` with this cookie value. */
export async function sessionStatus(stage: Stage, cookie: string | undefined, url = stage.publicUrl): Promise<number> {
  const response = await fetch(`${url}/api/session`, { headers: { cookie: `${sessionCookie}=${cookie ?? ""}` } });
  return response.status;
}
