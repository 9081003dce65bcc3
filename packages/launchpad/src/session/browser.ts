import { HttpError, type RequestVariables } from "@onbehalf/service-kit";
import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import type { Cookie } from "./cookie.ts";
import type { Session } from "./session.ts";
import type { Sessions } from "./sessions.ts";

/** What the session stage leaves for the stages after it. */
export interface SessionVariables {
  /** The session of this request's cookie, looked up when first asked for. */
  session: () => Promise<Session | undefined>;
  /** Whether the request brought a session cookie at all, living or not. */
  hasSessionCookie: boolean;
}

/** Finds the session behind a request's cookie, at most once a request, and only where someone asks. */
export function withSession(sessions: Sessions, cookie: Cookie) {
  return createMiddleware<{ Variables: SessionVariables & Pick<RequestVariables, "note"> }>(async (c, next) => {
    let found: Promise<Session | undefined> | undefined;
    const value = cookie.read(c);
    const find = async (): Promise<Session | undefined> => {
      if (value === undefined || value.length > 200) return undefined;
      const session = await sessions.find(value);
      if (session !== undefined) noteSession(c, session);
      return session;
    };
    c.set("hasSessionCookie", value !== undefined);
    c.set("session", () => {
      found ??= find();
      return found;
    });
    await next();
  });
}

/** Says in the request's line on whose behalf it was made. */
export function noteSession(
  c: { readonly var: Pick<RequestVariables, "note"> },
  { user: { issuer, subject } }: Pick<Session, "user">,
): void {
  c.var.note({ issuer, subject, credential: "session" });
}

/** @throws HttpError 401 without a living session */
export async function requireSession(c: { readonly var: Pick<SessionVariables, "session"> }): Promise<Session> {
  const session = await c.var.session();
  if (session !== undefined) return session;
  throw new HttpError(401, "session_absent", "You are not signed in, or your session has ended. Sign in to go on.");
}

/**
 * A cookie travels with requests that other sites start, so a request that changes something must say that it came
 * from our own page: the browser writes `Origin` itself and no script can forge it.
 * @throws HttpError 403 for a foreign or absent Origin
 */
export function requireSameOrigin(c: Context, publicUrl: string): void {
  if (c.req.header("origin") === publicUrl) return;
  const message = `This request did not come from ${publicUrl}. Open that page and try there; programs use the public API with a token.`;
  throw new HttpError(403, "origin_refused", message);
}
