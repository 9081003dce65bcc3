import { randomBytes } from "node:crypto";
import { z } from "zod";
import { digest, type Seal } from "./seal.ts";
import { endsAt, isAlive, type Lifetimes, needsTouch, type Session, type SessionTokens } from "./session.ts";
import type { SessionStore, StoredSession } from "./store.ts";

/** What a finished login hands over. */
export type Login = Pick<Session, "provider" | "user" | "providerSession" | "tokens" | "claims">;

/** The sessions of everybody who is signed in; a cookie's value is never stored. */
export interface Sessions {
  /** Opens a session under a new id; `cookie` is the only time its secret is seen. */
  open(login: Login, userAgent: string): Promise<{ readonly cookie: string; readonly session: Session }>;
  /** The living session of a cookie's value. */
  find(cookie: string): Promise<Session | undefined>;
  /** The session as it is stored now: another replica may have refreshed it. */
  reload(id: string): Promise<Session | undefined>;
  /** Keeps renewed tokens; undefined when someone else was faster or the session is gone. */
  renew(session: Session, tokens: SessionTokens): Promise<Session | undefined>;
  end(id: string): Promise<void>;
  /**
   * Everywhere this person is signed in.
   * @returns how many there were
   */
  endAll(user: Pick<Session["user"], "issuer" | "subject">): Promise<number>;
  /**
   * By the provider's own session (OpenID Connect Back-Channel Logout).
   * @returns how many there were
   */
  endProviderSession(issuer: string, sid: string): Promise<number>;
  list(user: Pick<Session["user"], "issuer" | "subject">): Promise<readonly Session[]>;
  /** Seconds since the epoch, if nothing is done with it any more. */
  endsAt(session: Session): number;
}

interface SessionsOptions {
  readonly store: SessionStore;
  readonly seal: Seal;
  readonly lifetimes: Lifetimes;
  /** Where people sign in. A session of a provider that was removed is none: its tokens can be renewed nowhere. */
  readonly providers: ReadonlySet<string>;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

const sealedShape = z.object({
  provider: z.string(),
  user: z.object({
    issuer: z.string(),
    subject: z.string(),
    name: z.string().optional(),
    email: z.string().optional(),
    groups: z.array(z.string()),
  }),
  providerSession: z.string().optional(),
  tokens: z.object({
    access: z.string(),
    accessExpiresAt: z.number(),
    obtainedAt: z.number(),
    refresh: z.string().optional(),
    id: z.string().optional(),
    scopes: z.array(z.string()),
  }),
  claims: z.record(z.string(), z.unknown()),
  userAgent: z.string(),
});

/** 256 bits: the id cannot be guessed. */
const idBytes = 32;

/** Server-side sessions: an opaque id in the browser, the record sealed in a store. */
export function createSessions({ store, seal, lifetimes, providers, now = Date.now }: SessionsOptions): Sessions {
  const seconds = (): number => Math.floor(now() / 1000);

  async function toStored(session: Session): Promise<StoredSession> {
    const { provider, user, providerSession, tokens, claims, userAgent } = session;
    return {
      id: session.id,
      owner: digest(user.issuer, user.subject),
      providerSession: providerSession === undefined ? undefined : digest(user.issuer, providerSession),
      createdAt: session.createdAt,
      lastSeenAt: session.lastSeenAt,
      expiresAt: session.expiresAt,
      generation: session.generation,
      sealed: await seal.seal({ provider, user, providerSession, tokens, claims, userAgent }, session.id),
    };
  }

  /** A record that does not open (another secret, tampered with, an older shape) is no session. */
  async function fromStored(stored: StoredSession | undefined): Promise<Session | undefined> {
    if (stored === undefined || !isAlive(stored, lifetimes, seconds())) return undefined;
    const opened = sealedShape.safeParse(await seal.open(stored.sealed, stored.id));
    if (!opened.success || !providers.has(opened.data.provider)) return undefined;
    const { id, createdAt, lastSeenAt, expiresAt, generation } = stored;
    return { ...(opened.data as Login & { userAgent: string }), id, createdAt, lastSeenAt, expiresAt, generation };
  }

  async function reload(id: string): Promise<Session | undefined> {
    return fromStored(await store.find(id));
  }

  return {
    async open(login, userAgent) {
      const cookie = randomBytes(idBytes).toString("base64url");
      const at = seconds();
      const times = { createdAt: at, lastSeenAt: at, expiresAt: at + lifetimes.absoluteSeconds };
      const session = { ...login, ...times, id: digest(cookie), generation: 0, userAgent: userAgent.slice(0, 200) };
      await store.create(await toStored(session));
      return { cookie, session };
    },
    async find(cookie) {
      const session = await reload(digest(cookie));
      if (session === undefined || !needsTouch(session, lifetimes, seconds())) return session;
      await store.touch(session.id, seconds());
      return { ...session, lastSeenAt: seconds() };
    },
    reload,
    async renew(session, tokens) {
      const renewed = { ...session, tokens, generation: session.generation + 1 };
      return (await store.replace(await toStored(renewed))) ? renewed : undefined;
    },
    end: (id) => store.remove(id),
    endAll: (user) => store.removeOwner(digest(user.issuer, user.subject)),
    endProviderSession: (issuer, sid) => store.removeProviderSession(digest(issuer, sid)),
    async list(user) {
      const stored = await store.ofOwner(digest(user.issuer, user.subject));
      const sessions = await Promise.all(stored.map(fromStored));
      return sessions.filter((session) => session !== undefined).sort((a, b) => b.lastSeenAt - a.lastSeenAt);
    },
    endsAt: (session) => endsAt(session, lifetimes),
  };
}
