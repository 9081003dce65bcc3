import {
  createLogger,
  createTrail,
  type Env,
  type Logger,
  readiness,
  type Service,
  type ServiceIo,
  serve,
} from "@onbehalf/service-kit";
import { createVerifier, type Verifier } from "@onbehalf/shared-auth";
import { createCredentials } from "./api/credentials.ts";
import { createHopsOf } from "./api/hops.ts";
import { createApp } from "./app.ts";
import { createAppToken } from "./app-token.ts";
import { readAppsFile } from "./apps/file.ts";
import { createAppRegistry } from "./apps/registry.ts";
import { sqlAppStore } from "./apps/store-sql.ts";
import { type LaunchpadConfig, readConfig } from "./config.ts";
import { createExchanges, tokenForSession } from "./exchanges.ts";
import { createLimit } from "./limit.ts";
import { createAttempts } from "./login/attempt.ts";
import { type DiscoveryOptions, discover } from "./login/discovery.ts";
import { createLogoutTokens } from "./login/logout-token.ts";
import { createProvider, type Provider } from "./login/provider.ts";
import { answerView } from "./pages/answer.ts";
import { loginPages } from "./pages/login-pages.ts";
import type { ProviderConfig } from "./providers-config.ts";
import { createCookie } from "./session/cookie.ts";
import { createKeepFresh } from "./session/refresh.ts";
import { createSeal } from "./session/seal.ts";
import { createSessions } from "./session/sessions.ts";
import { openStores } from "./stores.ts";
import { createVoicebox } from "./voicebox.ts";

/** How often ended sessions are removed from SQL. */
const sweepMs = 600_000;

/**
 * Starts Launchpad from its environment alone.
 * @throws ConfigError with every problem of the environment or of the applications file
 */
export async function start(env: Env, io: ServiceIo = {}): Promise<Service> {
  const config = readConfig(env);
  const fileApps = config.appsFile === undefined ? { apps: [], keys: [] } : readAppsFile(config.appsFile, env);
  const log = io.log ?? createLogger({ service: "launchpad", level: config.logLevel, ...io });
  const stores = await openStores(config, (error) => log.warn({ err: error }, "store connection broke"));
  const { database, sessions: sessionStore } = stores;

  const providers = await openProviders(config, log);
  const secure = config.publicUrl.startsWith("https:");
  const seal = createSeal(config.session.secret, "browser");
  const sessions = createSessions({
    store: sessionStore,
    seal: createSeal(config.session.secret, "session"),
    lifetimes: config.session,
  });
  const keepFresh = createKeepFresh({
    sessions,
    store: sessionStore,
    refresh: (session) => providerOf(providers, session.provider).refresh(session.tokens),
    onEvent: ({ name, error }) => log.info({ err: error }, `login ${name}`),
  });
  const exchanges = createExchanges(config, stores.tokens);
  const verifier = apiVerifier(config);
  const registry = createAppRegistry(fileApps, sqlAppStore(database));
  const voicebox = createVoicebox(config.voicebox);
  const trail = createTrail();
  const isAdmin = (groups: readonly string[]): boolean => groups.some((group) => config.adminGroups.includes(group));
  const apiProvider = providerOf(providers, config.api.provider).config;
  const credentials = createCredentials({
    publicUrl: config.publicUrl,
    registry,
    verifier,
    exchangeForApi: exchanges.of(apiProvider.id),
    tokenForSession: tokenForSession(exchanges, keepFresh),
    tokenForApp: createAppToken(apiProvider, config.voicebox.scopes),
  });
  const hopsOf = createHopsOf({ credentials, voicebox, trail, isAdmin });
  const ready = readiness({
    ...Object.fromEntries(providers.map((provider) => [provider.config.id, () => provider.ready()])),
    ...stores.checks,
    ...(verifier === undefined ? {} : { api_keys: () => verifier.ready() }),
  });

  const app = createApp({
    log,
    readiness: ready,
    publicUrl: config.publicUrl,
    authorizationServers: config.api.issuers.map(({ issuer }) => issuer),
    apiScopes: config.api.requiredScopes,
    login: {
      providers,
      sessions,
      sessionCookie: createCookie("onbehalf_session", secure),
      farewellCookie: createCookie("onbehalf_farewell", secure),
      attempts: createAttempts(seal, secure),
      seal,
      publicUrl: config.publicUrl,
      absoluteSeconds: config.session.absoluteSeconds,
      pages: loginPages,
      verifyLogoutToken: createLogoutTokens(),
      onSignOut: async (ended) => {
        const purges = ended.map(({ provider, user }) => exchanges.of(provider).purge(user));
        await Promise.all(purges);
      },
    },
    session: { sessions, publicUrl: config.publicUrl },
    api: {
      credentials,
      voicebox,
      trail,
      hopsOf,
      limit: createLimit(config.api),
      decorate: answerView,
    },
    pages: { providers, registry, publicUrl: config.publicUrl, isAdmin, hopsOf },
  });

  const sweeping = setInterval(() => {
    sessionStore
      .sweep(Math.floor(Date.now() / 1000))
      .catch((error: unknown) => log.warn({ err: error }, "sweep failed"));
  }, sweepMs).unref();
  return serve({
    name: "launchpad",
    app,
    host: config.host,
    port: config.port,
    portVariable: "LAUNCHPAD_PORT",
    log,
    graceSeconds: config.graceSeconds,
    readiness: ready,
    onClose: [
      () => clearInterval(sweeping),
      () => voicebox.close(),
      () => {
        for (const provider of providers) provider.close();
      },
      () => stores.close(),
    ],
  });
}

async function openProviders(config: LaunchpadConfig, log: Logger): Promise<readonly Provider[]> {
  const open = async (provider: ProviderConfig): Promise<Provider> => {
    const onEvent: DiscoveryOptions["onEvent"] = ({ name, error }) =>
      log[name === "found" ? "info" : "warn"](
        { provider: provider.id, issuer: provider.issuer, err: error },
        `provider ${name}`,
      );
    return createProvider(provider, await discover(provider, { onEvent }));
  };
  return Promise.all(config.providers.map(open));
}

function providerOf(providers: readonly Provider[], id: string): Provider {
  const found = providers.find(({ config }) => config.id === id);
  if (found === undefined) throw new Error(`the login provider ${id} is not configured any more`);
  return found;
}

/** Undefined when the public API takes no users' tokens. */
function apiVerifier({ api }: LaunchpadConfig): Verifier | undefined {
  if (!api.jwtEnabled) return undefined;
  const { audience, requiredScopes } = api;
  return createVerifier({
    issuers: api.issuers.map(({ issuer, jwksUri }) => ({ issuer, jwksUri, audience, requiredScopes })),
  });
}
