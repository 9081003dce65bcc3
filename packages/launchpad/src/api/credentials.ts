import { HttpError, type RequestVariables, type TrailIdentity, trailIdentity } from "@onbehalf/service-kit";
import { AuthError, type Exchange, type Identity, type ScopedToken, type Verifier } from "@onbehalf/shared-auth";
import { bearerToken } from "@onbehalf/shared-auth/hono";
import type { Context } from "hono";
import { type App, type AppMode, appRefusal, type KeyRefusal, refusal } from "../apps/app.ts";
import { keyPattern } from "../apps/key.ts";
import type { AppRegistry } from "../apps/registry.ts";
import type { Caller, Reader } from "../caller.ts";
import { requireSameOrigin, requireSession, type SessionVariables } from "../session/browser.ts";
import type { Session } from "../session/session.ts";
import { originMayUse, refusedOrigin } from "./cors.ts";

/** What a request carries once it is known who calls. */
export type ApiEnv = { Variables: RequestVariables & SessionVariables };
type ApiContext = Context<ApiEnv>;

interface CredentialOptions {
  readonly publicUrl: string;
  /** Sites whose pages may use every application. */
  readonly corsOrigins: readonly string[];
  readonly registry: AppRegistry;
  /** Undefined when the public API takes no users' tokens. */
  readonly verifier: Verifier | undefined;
  /** Exchanges the token of a public API client's user. */
  readonly exchangeForApi: Exchange;
  /** When a session ends if nobody comes any more, in seconds since the epoch. */
  readonly sessionEndsAt: (session: Session) => number;
  /** A token for Voicebox on behalf of a session, renewed where needed. */
  readonly tokenForSession: (session: Session) => Caller["token"];
  /** A token for Voicebox that speaks for this service itself, for applications that come with their key alone. */
  readonly tokenForApp: () => Promise<ScopedToken>;
  readonly now?: () => number;
}

/** Finds out who calls; each request is asked once. */
export interface Credentials {
  /** Who calls, and with which application. @throws HttpError, AuthError */
  caller(c: ApiContext): Promise<Caller>;
  /** Who reads their own data; needs no application. @throws HttpError, AuthError */
  reader(c: ApiContext): Promise<Reader>;
}

const maxClientIdLength = 255;

/** Finds out who makes a request: a signed-in browser, a user's token beside an application key, or the key alone. */
export function createCredentials(options: CredentialOptions): Credentials {
  const { registry, verifier } = options;
  const apps = appFinder(options);

  async function fromSession(c: ApiContext): Promise<Reader> {
    return sessionReader(await requireSession(c), options);
  }

  async function fromToken(c: ApiContext, token: string): Promise<Reader> {
    if (verifier === undefined) {
      throw new AuthError("issuer_untrusted", "This service takes no access tokens: API_AUTH_JWT_ENABLED is not true.");
    }
    const identity = await verifier(token);
    const exchange: Caller["token"] = (signal, rejected) =>
      options.exchangeForApi({ token, identity }, { signal, ...(rejected === undefined ? {} : { rejected }) });
    return noted(c, tokenReader(identity, exchange, clientId(c)));
  }

  /**
   * The key as Bearer. Clients of that kind have one place for a user's token, X-SD-Auth-Token: where it is there and
   * the application takes users, it says who the user is.
   */
  async function fromKey(c: ApiContext, key: string, id: string): Promise<Caller> {
    const userToken = c.req.header("x-sd-auth-token");
    const found = await registry.byKey(key);
    if (userToken !== undefined && found?.app.modes.includes("jwt") === true) {
      return { ...(await fromToken(c, userToken)), app: await apps.ofKey(c, key, "jwt"), textOnly: true };
    }
    const app = await apps.ofKey(c, key, "app_key");
    return { ...noted(c, appReader(app, id, options.tokenForApp)), app, textOnly: true };
  }

  return {
    async caller(c) {
      if (c.var.hasSessionCookie && c.req.header("authorization") === undefined) {
        if (c.req.method !== "GET") requireSameOrigin(c, options.publicUrl);
        const reader = { ...(await fromSession(c)), clientId: clientId(c) };
        c.var.note({ client: reader.clientId });
        return { ...reader, app: await apps.ofSession(c) };
      }
      const token = bearerToken(c.req.raw.headers);
      const id = requiredClientId(c);
      if (keyPattern.test(token)) return fromKey(c, token, id);
      const reader = await fromToken(c, token);
      return { ...reader, app: await apps.ofKey(c, c.req.header("x-voicebox-app-key"), "jwt") };
    },
    reader: (c) => {
      const isBrowser = c.var.hasSessionCookie && c.req.header("authorization") === undefined;
      return isBrowser ? fromSession(c) : fromToken(c, bearerToken(c.req.raw.headers));
    },
  };
}

/** With which application: the one that a page names, or the one that a key opens. */
function appFinder({ registry, publicUrl, corsOrigins, now = Date.now }: CredentialOptions) {
  async function ofSession(c: ApiContext): Promise<App> {
    const asked = c.req.header("x-voicebox-app");
    const app = asked === undefined ? await registry.byDefault() : await registry.byId(asked);
    if (app === undefined) {
      throw new HttpError(404, "app_unknown", "There is no such application. Choose one of those the page offers.");
    }
    c.var.note({ app: app.id });
    const why = appRefusal(app, "session", now());
    if (why !== undefined) throw refused(why);
    return app;
  }

  async function ofKey(c: ApiContext, given: string | undefined, mode: AppMode): Promise<App> {
    const found = given === undefined ? undefined : await registry.byKey(given);
    if (found === undefined) throw keyAbsent(given);
    c.var.note({ app: found.app.id, app_key_id: found.key.id });
    const why = refusal(found.app, found.key, mode, now());
    if (why === "mode_refused" && mode === "app_key") throw userNeeded();
    if (why !== undefined) throw refused(why);
    if (!originMayUse(c.req.header("origin"), publicUrl, corsOrigins, found.app.origins)) {
      throw refusedOrigin();
    }
    await registry.used(found.key);
    return found.app;
  }

  return { ofSession, ofKey };
}

/** Once known, the request's line says who, whatever comes of it. */
function noted(c: ApiContext, reader: Reader): Reader {
  const { issuer, subject, credential } = reader.identity;
  c.var.note({ issuer, subject, credential, client: reader.clientId });
  return reader;
}

function sessionReader(session: Session, options: CredentialOptions): Reader {
  const { user, tokens } = session;
  const identity: TrailIdentity = {
    issuer: user.issuer,
    subject: user.subject,
    audience: audienceOf(session.claims),
    scopes: tokens.scopes,
    client_id: audienceOf(session.claims)[0] ?? null,
    actors: [],
    groups: user.groups,
    email: user.email ?? null,
    name: user.name ?? null,
    kind: "user",
    credential: "session",
    expires_at: options.sessionEndsAt(session),
  };
  return {
    identity,
    claims: session.claims,
    clientId: undefined,
    token: options.tokenForSession(session),
    provider: session.provider,
  };
}

function tokenReader(identity: Identity, token: Caller["token"], id: string | undefined): Reader {
  return { identity: trailIdentity(identity), claims: identity.claims, clientId: id, token, provider: undefined };
}

/** With the key alone nobody is known behind the application: the chain below is told so, and decides. */
function appReader(app: App, id: string, tokenForApp: CredentialOptions["tokenForApp"]): Reader {
  const identity: TrailIdentity = {
    issuer: "launchpad",
    subject: `app:${app.id}`,
    audience: [],
    scopes: [],
    client_id: id,
    actors: [],
    groups: [],
    email: null,
    name: app.name,
    kind: "app",
    credential: "app-key",
    expires_at: app.expires_at === null ? null : Math.floor(Date.parse(app.expires_at) / 1000),
  };
  return { identity, claims: {}, clientId: id, token: () => tokenForApp(), provider: undefined };
}

function audienceOf(claims: Readonly<Record<string, unknown>>): readonly string[] {
  const { aud } = claims;
  if (typeof aud === "string") return [aud];
  return Array.isArray(aud) ? aud.filter((entry): entry is string => typeof entry === "string") : [];
}

function clientId(c: ApiContext): string | undefined {
  const id = c.req.header("x-client-id")?.trim();
  return id === undefined || id === "" || id.length >= maxClientIdLength ? undefined : id;
}

function requiredClientId(c: ApiContext): string {
  const id = clientId(c);
  if (id !== undefined) return id;
  const message = `Say which program is calling in the X-Client-Id header: 1 to ${maxClientIdLength - 1} characters.`;
  throw new HttpError(400, "client_id_required", message);
}

function keyAbsent(given: string | undefined): HttpError {
  const message =
    given === undefined
      ? "The X-Voicebox-App-Key header is missing. The token says who the user is; the key says which application."
      : "This application key is not known here. Check X-Voicebox-App-Key, or ask for a new key.";
  return new HttpError(401, "app_key_invalid", message);
}

function userNeeded(): HttpError {
  const message =
    "This application wants to know its user: send the user's access token as Bearer and the key in X-Voicebox-App-Key.";
  return new HttpError(401, "user_token_required", message);
}

const refusalWords: Record<KeyRefusal, string> = {
  key_disabled: "This application key has been disabled. Ask the application's administrator for another.",
  key_expired: "This application key has expired. Ask the application's administrator for a new one.",
  app_disabled: "This application has been disabled by its administrator.",
  app_expired: "This application has expired. Its administrator can extend it.",
  mode_refused: "This application may not be used in this way. Its administrator decides which ways are open.",
};

function refused(why: KeyRefusal): HttpError {
  return new HttpError(403, why, refusalWords[why]);
}
