import { type Logger, memoryStore, type Readiness } from "@onbehalf/service-kit";
import { createBelow } from "./api/below.ts";
import { createConnectionCheck } from "./api/connections.ts";
import { createCredentials } from "./api/credentials.ts";
import { createHopsOf } from "./api/hops.ts";
import type { Stages } from "./app.ts";
import { createAppToken } from "./app-token.ts";
import { createHandover } from "./apps/handover.ts";
import { createAppManagement } from "./apps/manage.ts";
import { createAppRegistry } from "./apps/registry.ts";
import { sqlAppStore } from "./apps/store-sql.ts";
import type { LaunchpadConfig } from "./config.ts";
import { createExchanges, tokenForSession } from "./exchanges.ts";
import { ownChecks } from "./health.ts";
import { createLimit } from "./limit.ts";
import { createAttempts } from "./login/attempt.ts";
import { createLogoutTokens } from "./login/logout-token.ts";
import { answerView } from "./pages/answer.ts";
import { loginPages } from "./pages/login-pages.ts";
import { providerOf, type Resources } from "./resources.ts";
import { createCookie } from "./session/cookie.ts";
import { createKeepFresh } from "./session/refresh.ts";
import { createSeal, type Seal } from "./session/seal.ts";
import { createSessions } from "./session/sessions.ts";
import { createSignOut } from "./sign-out.ts";
import { memoryTrail, sharedTrail, type TrailStore } from "./trail-store.ts";

interface StageParts {
  readonly config: LaunchpadConfig;
  readonly resources: Resources;
  readonly readiness: Readiness;
  readonly log: Logger;
}

/** Makes each stage from the configuration and from what it holds on to. */
export function createStages(parts: StageParts): Omit<Stages, "requests"> {
  const { config, resources, readiness, log } = parts;
  const { publicUrl } = config;
  const { stores, providers, verifier, voicebox } = resources;
  const seal = createSeal(config.session.secret, "browser");
  const people = createPeople(parts);
  const apiProvider = providerOf(providers, config.api.provider).config;

  const appStore = sqlAppStore(stores.database);
  const registry = createAppRegistry(config.fileApps, appStore);
  const management = createAppManagement(registry, appStore);
  const isAdmin = administrators(config);
  const trail = createTrailStore(parts);
  const credentials = createCredentials({
    publicUrl,
    corsOrigins: config.api.corsOrigins,
    registry,
    verifier,
    exchangeForApi: people.exchanges.of(apiProvider.id),
    sessionEndsAt: people.sessions.endsAt,
    tokenForSession: people.tokenForSession,
    tokenForApp: createAppToken(apiProvider, config.voicebox.scopes),
  });
  const hopsOf = createHopsOf({ credentials, voicebox, trail, isAdmin });
  const below = createBelow(credentials, voicebox);
  const checkConnection = createConnectionCheck(below, management);
  const { sessions } = people;

  return {
    log,
    readiness,
    publicUrl,
    authorizationServers: config.api.issuers.map(({ issuer }) => issuer),
    apiScopes: config.api.requiredScopes,
    login: loginOptions(parts, people, seal),
    session: { sessions, publicUrl },
    api: {
      credentials,
      voicebox,
      trail,
      hopsOf,
      limit: createLimit({ ...config.api, redis: stores.counters }),
      decorate: answerView,
      stepUpUrl: stepUpUrlBy(seal),
    },
    cors: { publicUrl, origins: config.api.corsOrigins, registry },
    document: { access: apiAccess(config), isAdmin },
    apps: { credentials, management, checkConnection, publicUrl, isAdmin },
    pages: { providers, registry, sessions, below, publicUrl, commands: config.api.commands, isAdmin, hopsOf },
    admin: {
      management,
      checkConnection,
      handover: createHandover(stores.database, createSeal(config.session.secret, "handover")),
      below,
      ownChecks: ownChecks(resources),
      publicUrl,
      providers: config.providers,
      isAdmin,
    },
  };
}

/** The challenge goes sealed, so that no link can make one up. */
function stepUpUrlBy(seal: Seal): (provider: string, claims: string) => Promise<string> {
  return async (provider, claims) => {
    const step_up = await seal.seal(claims, "step-up");
    return `/login?${new URLSearchParams({ provider, step_up, return_to: "/?resume=1" })}`;
  };
}

function apiAccess({ publicUrl, api }: LaunchpadConfig): Stages["document"]["access"] {
  const { jwtEnabled, issuers, audience, requiredScopes, commands } = api;
  return { publicUrl, jwtEnabled, issuers: issuers.map(({ issuer }) => issuer), audience, requiredScopes, commands };
}

/** Sessions, and the way from a session to a token for Voicebox. */
function createPeople({ config, resources: { stores, providers }, log }: StageParts) {
  const sessions = createSessions({
    store: stores.sessions,
    seal: createSeal(config.session.secret, "session"),
    lifetimes: config.session,
    providers: new Set(config.providers.map(({ id }) => id)),
  });
  const keepFresh = createKeepFresh({
    sessions,
    store: stores.sessions,
    refresh: (session) => providerOf(providers, session.provider).refresh(session.tokens),
    onEvent: ({ name, error }) => log.info({ err: error }, `sign-in ${name}`),
  });
  const exchanges = createExchanges(config, stores.tokens);
  return { sessions, exchanges, tokenForSession: tokenForSession(exchanges, keepFresh) };
}

function loginOptions(
  { config, resources: { stores, providers, voicebox }, log }: StageParts,
  { sessions, exchanges, tokenForSession: token }: ReturnType<typeof createPeople>,
  seal: Seal,
): Stages["login"] {
  const { publicUrl } = config;
  const secure = publicUrl.startsWith("https:");
  return {
    providers,
    sessions,
    sessionCookie: createCookie("onbehalf_session", secure),
    farewellCookie: createCookie("onbehalf_farewell", secure),
    attempts: createAttempts(seal, secure),
    seal,
    publicUrl,
    absoluteSeconds: config.session.absoluteSeconds,
    pages: loginPages,
    verifyLogoutToken: createLogoutTokens(stores.shared ?? memoryStore({ maxEntries: 10_000 })),
    onSignOut: createSignOut({ exchanges, voicebox, tokenForSession: token, log }),
  };
}

function createTrailStore({ resources: { stores }, log }: StageParts): TrailStore {
  if (stores.shared === undefined) return memoryTrail();
  return sharedTrail(stores.shared, (error) => log.warn({ err: error }, "a hop of the trail is missing"));
}

/**
 * Whose groups make an administrator: those of our own login providers. Another issuer's groups say nothing here, even
 * when its tokens open the public API.
 */
function administrators({ providers, adminGroups }: LaunchpadConfig) {
  const issuers = new Set(providers.map(({ issuer }) => issuer));
  return ({ issuer, groups }: { readonly issuer: string; readonly groups: readonly string[] }): boolean =>
    issuers.has(issuer) && groups.some((group) => adminGroups.includes(group));
}
