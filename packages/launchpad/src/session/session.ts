/** Who signed in. A person is `issuer` + `subject`; the rest is for showing. */
export interface SessionUser {
  readonly issuer: string;
  readonly subject: string;
  readonly name: string | undefined;
  readonly email: string | undefined;
  readonly groups: readonly string[];
}

/** The tokens of a login. They live sealed in the session store and nowhere else. */
export interface SessionTokens {
  readonly access: string;
  /** Seconds since the epoch. */
  readonly accessExpiresAt: number;
  /** Seconds since the epoch. */
  readonly obtainedAt: number;
  readonly refresh: string | undefined;
  /** Kept for RP-initiated logout (`id_token_hint`). */
  readonly id: string | undefined;
  readonly scopes: readonly string[];
}

/** A signed-in browser. All times are seconds since the epoch. */
export interface Session {
  /** Digest of the cookie's value: what is stored cannot be used as a cookie. */
  readonly id: string;
  readonly provider: string;
  readonly user: SessionUser;
  /** The provider's own session id (`sid`), for back-channel logout. */
  readonly providerSession: string | undefined;
  readonly createdAt: number;
  readonly lastSeenAt: number;
  readonly expiresAt: number;
  /** Counts refreshes; a writer that read an older one is refused. */
  readonly generation: number;
  readonly tokens: SessionTokens;
  /** Claims of the ID token, for the page that shows one's own identity. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** What the browser said it is, so that its owner can recognise it in a list. */
  readonly userAgent: string;
}

/** In seconds, both. */
export interface Lifetimes {
  /** From login to the end, whatever happens. */
  readonly absoluteSeconds: number;
  /** Without a request for so long, the session is over. */
  readonly idleSeconds: number;
}

/** When a session was last seen is written at most this often, so that a busy page is not a busy store. */
const touchSeconds = 60;
/** Cached exchanged tokens end this long before the login's token does; refresh before that. */
const refreshMarginSeconds = 330;

type Times = Pick<Session, "createdAt" | "lastSeenAt" | "expiresAt">;

/** Whether a session still stands at `now`. */
export function isAlive(session: Times, lifetimes: Lifetimes, now: number): boolean {
  return now < session.expiresAt && now < session.lastSeenAt + lifetimes.idleSeconds;
}

/** When a session ends if nobody comes any more. */
export function endsAt(session: Times, lifetimes: Lifetimes): number {
  return Math.min(session.expiresAt, session.lastSeenAt + lifetimes.idleSeconds);
}

/** Whether a request is worth a write; with each one the store would do little else. */
export function needsTouch(session: Times, lifetimes: Lifetimes, now: number): boolean {
  return now - session.lastSeenAt >= Math.min(touchSeconds, lifetimes.idleSeconds / 10);
}

/**
 * Whether the login's token should be renewed before it is used: five minutes before it ends, or for a short-lived
 * token when half its life is over.
 */
export function needsRefresh(tokens: SessionTokens, now: number): boolean {
  if (tokens.refresh === undefined) return false;
  const life = Math.max(0, tokens.accessExpiresAt - tokens.obtainedAt);
  return tokens.accessExpiresAt - now <= Math.min(refreshMarginSeconds, life / 2);
}

/** @param now seconds since the epoch */
export function isUsable(tokens: SessionTokens, now: number): boolean {
  return now < tokens.accessExpiresAt;
}
