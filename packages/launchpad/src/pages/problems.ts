import type { Context } from "hono";
import { requireSameOrigin, type SessionVariables } from "../session/browser.ts";
import { formFields } from "../session/form.ts";
import type { Session } from "../session/session.ts";
import { problemPage, unsentFormPage } from "./notices.ts";

export interface ProblemOptions {
  readonly publicUrl: string;
  readonly isAdmin: (user: Session["user"]) => boolean;
}

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
export async function asPage(c: Context, response: Response, options: ProblemOptions): Promise<Response> {
  if (!opensPage(c)) return response;
  const headers = new Headers(response.headers);
  headers.set("content-type", "text/html; charset=utf-8");
  headers.delete("content-length");
  headers.set("cache-control", "no-store");
  const form = response.status === 401 ? await unsentForm(c, options.publicUrl) : undefined;
  const html = form === undefined ? await problem(c, response, options) : unsentFormPage(c.req.path, form);
  return new Response(html, { status: response.status, headers });
}

async function problem(c: Context, response: Response, { isAdmin }: ProblemOptions): Promise<string> {
  const told = (await response.clone().json()) as { readonly error?: string; readonly message?: string };
  const next = told.error === "not_found" ? " Check it for a typing error, or begin at the start." : "";
  const session = await sessionOf(c);
  return problemPage({
    title: titles[response.status] ?? "Something went wrong",
    message: (told.message ?? "") + next,
    requestId: String(c.get("requestId") ?? ""),
    session,
    isAdmin: session !== undefined && isAdmin(session.user),
  });
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

/** The fields of a form of ours that came after its session had ended: they are given back, to be sent again. */
async function unsentForm(c: Context, publicUrl: string): Promise<URLSearchParams | undefined> {
  if (c.req.method !== "POST") return undefined;
  try {
    requireSameOrigin(c, publicUrl);
    return await formFields(c);
  } catch {
    // Another site's, or one whose body cannot be read: the plain page says what there is to say.
    return undefined;
  }
}
