import type { Context } from "hono";
import type { SessionVariables } from "../session/browser.ts";
import type { Session } from "../session/session.ts";
import { problemPage } from "./notices.ts";

const titles: Readonly<Record<number, string>> = {
  400: "This request cannot be understood",
  401: "Please sign in",
  403: "You may not do this",
  404: "There is nothing here",
  429: "Too many requests",
  502: "A service behind is not set up right",
  503: "Not available right now",
  504: "This took too long",
};

/** Shows a browser that opened an address a page instead of JSON; programs and scripts get what they always get. */
export async function asPage(c: Context, response: Response): Promise<Response> {
  if (!opensPage(c)) return response;
  const { message = "" } = (await response.clone().json()) as { readonly message?: string };
  const headers = new Headers(response.headers);
  headers.set("content-type", "text/html; charset=utf-8");
  headers.delete("content-length");
  headers.set("cache-control", "no-store");
  const title = titles[response.status] ?? "Something went wrong";
  const session = await sessionOf(c);
  const html = problemPage(title, message, String(c.get("requestId") ?? ""), session);
  return new Response(html, { status: response.status, headers });
}

function opensPage(c: Context): boolean {
  if (!["GET", "POST"].includes(c.req.method) || c.req.path.startsWith("/api/")) return false;
  return c.req.header("accept")?.includes("text/html") === true;
}

/** Whoever is signed in keeps the way back; that a store is away must not make the problem page one too. */
async function sessionOf(c: Context): Promise<Session | undefined> {
  const find: SessionVariables["session"] | undefined = c.get("session");
  return find?.().catch(() => undefined);
}
