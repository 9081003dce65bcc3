import { HttpError } from "@onbehalf/service-kit";
import { Hono } from "hono";
import { requireSameOrigin, requireSession } from "../session/browser.ts";
import type { Session } from "../session/session.ts";
import type { Sessions } from "../session/sessions.ts";
import type { ApiEnv } from "./credentials.ts";

export interface SessionRouteOptions {
  readonly sessions: Sessions;
  readonly publicUrl: string;
}

/** One's own session, and one's others. */
export function sessionRoutes({ sessions, publicUrl }: SessionRouteOptions): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();

  app.get("/api/session", async (c) => {
    const session = await requireSession(c);
    const { subject, issuer, name, email, groups } = session.user;
    const user = { sub: subject, iss: issuer, name: name ?? null, email: email ?? null, groups };
    return c.json({ user, expires_at: sessions.endsAt(session) }, 200, { "cache-control": "no-store" });
  });

  app.get("/api/sessions", async (c) => {
    const current = await requireSession(c);
    const list = await sessions.list(current.user);
    return c.json({ sessions: list.map((session) => shown(session, current, sessions)) }, 200, {
      "cache-control": "no-store",
    });
  });

  app.delete("/api/sessions/:id", async (c) => {
    requireSameOrigin(c, publicUrl);
    const current = await requireSession(c);
    const mine = await sessions.list(current.user);
    // Only one's own: an id of somebody else's session is as unknown as any other.
    const found = mine.find((session) => shortId(session) === c.req.param("id"));
    if (found === undefined)
      throw new HttpError(404, "session_unknown", "You have no such session; it may have ended.");
    await sessions.end(found.id);
    return c.body(null, 204);
  });

  return app;
}

/** Only one's own: an id of somebody else's session is as unknown as any other. @throws HttpError 404 */
export async function endOwnSession(sessions: Sessions, current: Session, id: string): Promise<void> {
  const mine = await sessions.list(current.user);
  const found = mine.find((session) => shortId(session) === id);
  if (found === undefined) throw new HttpError(404, "session_unknown", "You have no such session; it may have ended.");
  await sessions.end(found.id);
}

/** Enough to name one of somebody's sessions; the id itself, a digest, is of no use to anybody either. */
export function shortId(session: Pick<Session, "id">): string {
  return session.id.slice(0, 16);
}

function shown(session: Session, current: Session, sessions: Sessions) {
  return {
    id: shortId(session),
    current: session.id === current.id,
    provider: session.provider,
    created_at: session.createdAt,
    last_seen_at: session.lastSeenAt,
    expires_at: sessions.endsAt(session),
    user_agent: session.userAgent,
  };
}
