import { setTimeout as sleep } from "node:timers/promises";
import { HttpError } from "@onbehalf/service-kit";
import { isUsable, needsRefresh, type Session, type SessionTokens } from "./session.ts";
import type { Sessions } from "./sessions.ts";
import type { SessionStore } from "./store.ts";

/** Asks the provider of a session for new tokens. @throws RefreshRefused when the provider will give no more */
type RefreshAtProvider = (session: Session) => Promise<SessionTokens>;

/** The provider says that this login is over: no retry will help. */
export class RefreshRefused extends Error {
  override readonly name = "RefreshRefused";
}

/**
 * The session with a token that can be used now. Many requests in many replicas cause one call to the provider: a
 * single-use refresh token is never sent twice.
 * @param rejected the access token that a service below refused; renew even though it looks good
 */
export type KeepFresh = (session: Session, rejected?: string) => Promise<Session>;

interface KeepFreshOptions {
  readonly sessions: Sessions;
  readonly store: Pick<SessionStore, "lease">;
  readonly refresh: RefreshAtProvider;
  readonly now?: () => number;
  readonly onEvent?: (event: {
    readonly name: "refreshed" | "refused" | "unavailable";
    readonly error?: unknown;
  }) => void;
}

/** Longer than a provider may take to answer: a lease must outlive the call it protects. */
const leaseSeconds = 20;
const pollMs = 40;
/** Together well below the lease, beside what the provider took. */
const keepPausesMs = [100, 400, 1_500, 3_000];

/** Tokens of a session are renewed once, whichever request or replica notices first. */
export function createKeepFresh(options: KeepFreshOptions): KeepFresh {
  const { sessions, store, refresh, now = Date.now, onEvent = () => {} } = options;
  const flights = new Map<string, Promise<Session>>();
  const stale = ({ tokens }: Session, rejected: string | undefined): boolean =>
    tokens.access === rejected || needsRefresh(tokens, now() / 1000);

  /** What the provider gave it gives once: a store that is away for a moment is asked again before it is lost. */
  async function keep(current: Session, tokens: SessionTokens): Promise<Session | undefined> {
    for (const pauseMs of keepPausesMs) {
      try {
        return await sessions.renew(current, tokens);
      } catch {
        await sleep(pauseMs);
      }
      const stored = await sessions.reload(current.id).catch(() => undefined);
      if (stored?.tokens.access === tokens.access) return stored;
    }
    return sessions.renew(current, tokens);
  }

  /** Only the holder of the lease asks the provider; it reads the record again first, as another may just have. */
  async function renewAsHolder(id: string, rejected: string | undefined): Promise<Session> {
    const current = await sessions.reload(id);
    if (current === undefined) throw sessionOver();
    if (!stale(current, rejected) || current.tokens.refresh === undefined) return current;
    try {
      const renewed = await keep(current, await refresh(current));
      onEvent({ name: "refreshed" });
      if (renewed === undefined) throw sessionOver();
      return renewed;
    } catch (error) {
      if (error instanceof RefreshRefused) {
        onEvent({ name: "refused", error });
        await sessions.end(id);
        throw sessionOver();
      }
      onEvent({ name: "unavailable", error });
      // The provider is out of reach: what the token is still good for goes on.
      if (isUsable(current.tokens, now() / 1000) && current.tokens.access !== rejected) return current;
      throw error;
    }
  }

  async function oneFlight(id: string, rejected: string | undefined): Promise<Session> {
    const deadline = performance.now() + leaseSeconds * 1000;
    while (performance.now() < deadline) {
      const lease = await store.lease(id, { ttlSeconds: leaseSeconds });
      if (lease !== undefined) {
        try {
          return await renewAsHolder(id, rejected);
        } finally {
          await lease.release();
        }
      }
      await sleep(pollMs);
      const current = await sessions.reload(id);
      if (current === undefined) throw sessionOver();
      if (!stale(current, rejected)) return current;
    }
    throw new HttpError(503, "provider_unavailable", "Your sign-in could not be renewed in time. Try again.", {
      retryAfterSeconds: 5,
    });
  }

  return async (session, rejected) => {
    if (!stale(session, rejected) || session.tokens.refresh === undefined) return usable(session, rejected, now());
    const running = flights.get(session.id);
    if (running !== undefined) return running;
    const flight = oneFlight(session.id, rejected).finally(() => flights.delete(session.id));
    flights.set(session.id, flight);
    return flight;
  };
}

function usable(session: Session, rejected: string | undefined, nowMs: number): Session {
  if (session.tokens.access === rejected || !isUsable(session.tokens, nowMs / 1000)) throw sessionOver();
  return session;
}

/** The login has ended, by time or by the provider's word. */
function sessionOver(): HttpError {
  return new HttpError(401, "session_expired", "Your session has ended. Sign in again to go on.");
}
