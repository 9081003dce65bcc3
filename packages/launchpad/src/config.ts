import {
  ConfigError,
  count,
  databaseUrl,
  dataFolder,
  type Env,
  flag,
  list,
  loadEnv,
  origins,
  port,
  redisUrl,
  seconds,
  secret,
  telemetryFields,
  url,
  urls,
} from "@onbehalf/service-kit";
import { z } from "zod";
import {
  type ProviderConfig,
  type ProviderId,
  providerIds,
  providerVariables,
  readProvider,
} from "./providers-config.ts";

/** An authorization server whose access tokens open the public API. */
export interface ApiIssuer {
  readonly issuer: string;
  readonly jwksUri: string | undefined;
}

export const sessionStores = ["memory", "sqlite", "redis", "postgres"] as const;
export type SessionStoreKind = (typeof sessionStores)[number];

/** Everything this service was told, checked and frozen. */
export interface LaunchpadConfig {
  readonly host: string;
  readonly port: number;
  /** Where browsers see this service: an origin without a trailing slash. */
  readonly publicUrl: string;
  readonly logLevel: string;
  readonly graceSeconds: number;
  readonly dataDir: string;
  readonly redisUrl: string | undefined;
  readonly databaseUrl: string | undefined;
  readonly telemetry: {
    readonly metricsPort: number | undefined;
    readonly tracesEndpoint: string | undefined;
    readonly tracesHeaders: string | undefined;
  };
  readonly providers: readonly ProviderConfig[];
  readonly voicebox: { readonly endpoint: string; readonly scopes: readonly string[]; readonly timeoutSeconds: number };
  readonly api: {
    readonly jwtEnabled: boolean;
    readonly issuers: readonly ApiIssuer[];
    readonly audience: readonly string[];
    readonly requiredScopes: readonly string[];
    /** Whose back-end client exchanges a public API client's token. */
    readonly provider: ProviderId;
    readonly corsOrigins: readonly string[];
    readonly appRequestsPerMinute: number;
    readonly clientRequestsPerMinute: number;
  };
  readonly session: {
    readonly secret: string;
    readonly store: SessionStoreKind;
    readonly absoluteSeconds: number;
    readonly idleSeconds: number;
  };
  /** Seals cached tokens where they leave this process; falls back to the session secret. */
  readonly encryptionSecret: string;
  readonly appsFile: string | undefined;
  readonly adminGroups: readonly string[];
}

/** The variables; which of them are needed depends on the others, so that every problem is seen at once. */
function variables(env: Env) {
  const jwt = env.API_AUTH_JWT_ENABLED === "true";
  // Only the file of SQLite is kept there.
  const keepsFiles = !env.DATABASE_URL && !env.DATABASE_URL_FILE;
  return {
    HOST: z.string().trim().min(1).default("127.0.0.1"),
    LAUNCHPAD_PORT: port().default(3000),
    PUBLIC_URL: url({ httpOnLoopbackOnly: true })
      .refine((given) => URL.canParse(given) && new URL(given).pathname === "/", {
        error: "expected an origin without a path, such as https://launchpad.example.com",
      })
      .optional(),
    LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"]).default("info"),
    SHUTDOWN_GRACE_SECONDS: seconds().default(30),
    ONBEHALF_DATA_DIR: (keepsFiles ? dataFolder() : z.string()).prefault(".onbehalf"),
    REDIS_URL: needed(redisUrl(), env.SESSION_STORE === "redis"),
    DATABASE_URL: needed(databaseUrl(), env.SESSION_STORE === "postgres"),
    ...telemetryFields(),
    ENCRYPTION_SECRET: secret({ min: 32 }).optional(),
    LOGIN_PROVIDERS: list().optional(),
    OKTA_AUTH_ENABLED: flag().default(true),
    VOICEBOX_SERVICE_ENDPOINT: url(),
    VOICEBOX_SERVICE_SCOPE: list({ min: 1 }),
    VOICEBOX_TIMEOUT_SECONDS: seconds({ min: 1 }).default(300),
    API_AUTH_JWT_ENABLED: flag().default(false),
    API_AUTH_JWKS_URI: urls({ httpOnLoopbackOnly: true }).optional(),
    // Without an address of its own, the keys' is read in a document of the issuer's.
    API_AUTH_ISSUER: needed(urls({ httpOnLoopbackOnly: !env.API_AUTH_JWKS_URI }), jwt),
    API_AUTH_AUDIENCE: needed(list({ min: 1 }), jwt),
    API_AUTH_REQUIRED_SCOPES: list().optional(),
    API_AUTH_ACCESS_TOKEN_IDP: z.enum(providerIds).optional(),
    API_CORS_ORIGINS: origins().optional(),
    API_APP_RPM: count({ min: 1 }).default(6_000),
    API_CLIENT_RPM: count({ min: 1 }).default(1_200),
    SESSION_SECRET: secret({ min: 32 }),
    SESSION_EXPIRATION: seconds({ min: 1 }).default(43_200),
    SESSION_IDLE_SECONDS: seconds({ min: 1 }).optional(),
    SESSION_STORE: z.enum(sessionStores).optional(),
    LAUNCHPAD_APPS_FILE: z.string().trim().min(1).optional(),
    LAUNCHPAD_ADMIN_GROUPS: list().optional(),
  };
}

/** Optional, unless another variable makes it needed. */
function needed<S extends z.ZodType>(schema: S, isNeeded: boolean): z.ZodOptional<S> {
  return (isNeeded ? schema : schema.optional()) as z.ZodOptional<S>;
}

type Base = z.infer<z.ZodObject<ReturnType<typeof variables>>>;
interface Problem {
  readonly name: string;
  readonly problem: string;
}

/**
 * Reads and checks the whole environment.
 * @throws ConfigError naming every problem at once
 */
export function readConfig(env: Env): LaunchpadConfig {
  const enabled = enabledProviders(env);
  const ofProviders = Object.assign({}, ...enabled.known.map((id) => providerVariables(id, env))) as z.ZodRawShape;
  const values = load(z.object({ ...variables(env), ...ofProviders }), env, enabled.problems);
  const problems: Problem[] = [];
  const providers = enabled.known.map((id) => readProvider(id, values));
  const config = assemble(values, providers, problems);
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(config);
}

/** `known`: problems that were found before; they are told together with the others. */
function load(schema: z.ZodObject, env: Env, known: readonly Problem[]): Base & Record<string, unknown> {
  try {
    const values = loadEnv(schema, env) as Base & Record<string, unknown>;
    if (known.length === 0) return values;
  } catch (error) {
    if (error instanceof ConfigError) throw new ConfigError([...known, ...error.problems]);
    throw error;
  }
  throw new ConfigError([...known]);
}

/** `LOGIN_PROVIDERS` says which; without it Okta, as this service's users know it. */
function enabledProviders(env: Env): { known: ProviderId[]; problems: Problem[] } {
  const named = (env.LOGIN_PROVIDERS || "okta").split(",").map((name) => name.trim().toLowerCase());
  const asked = [...new Set(named.filter((name) => name !== ""))];
  const oktaOff = env.OKTA_AUTH_ENABLED?.trim().toLowerCase() === "false";
  const known = providerIds.filter((id) => asked.includes(id) && !(id === "okta" && oktaOff));
  const unknown = asked.filter((name) => !(providerIds as readonly string[]).includes(name));
  const problems = unknown.map((name) => ({
    name: "LOGIN_PROVIDERS",
    problem: `names "${name}", which is none of ${providerIds.join(", ")}`,
  }));
  if (known.length === 0) {
    problems.push({ name: "LOGIN_PROVIDERS", problem: "leaves no way to sign in: enable at least one provider" });
  }
  return { known: [...known], problems };
}

function assemble(values: Base, providers: readonly ProviderConfig[], problems: Problem[]): LaunchpadConfig {
  return {
    host: values.HOST,
    port: values.LAUNCHPAD_PORT,
    publicUrl: values.PUBLIC_URL ? new URL(values.PUBLIC_URL).origin : `http://localhost:${values.LAUNCHPAD_PORT}`,
    logLevel: values.LOG_LEVEL,
    graceSeconds: values.SHUTDOWN_GRACE_SECONDS,
    dataDir: values.ONBEHALF_DATA_DIR,
    redisUrl: values.REDIS_URL,
    databaseUrl: values.DATABASE_URL,
    telemetry: {
      metricsPort: values.METRICS_PORT,
      tracesEndpoint: values.OTEL_EXPORTER_OTLP_ENDPOINT,
      tracesHeaders: values.OTEL_EXPORTER_OTLP_HEADERS,
    },
    providers,
    voicebox: {
      endpoint: values.VOICEBOX_SERVICE_ENDPOINT.replace(/\/+$/, ""),
      scopes: values.VOICEBOX_SERVICE_SCOPE,
      timeoutSeconds: values.VOICEBOX_TIMEOUT_SECONDS,
    },
    api: api(values, providers, problems),
    session: {
      secret: values.SESSION_SECRET,
      store: sessionStore(values),
      absoluteSeconds: values.SESSION_EXPIRATION,
      idleSeconds: Math.min(values.SESSION_IDLE_SECONDS ?? values.SESSION_EXPIRATION, values.SESSION_EXPIRATION),
    },
    encryptionSecret: values.ENCRYPTION_SECRET ?? values.SESSION_SECRET,
    appsFile: values.LAUNCHPAD_APPS_FILE,
    adminGroups: values.LAUNCHPAD_ADMIN_GROUPS ?? [],
  };
}

/** Where sessions live: what replicas share when there is such a thing, else a file, which outlives a restart. */
function sessionStore(values: Base): SessionStoreKind {
  if (values.SESSION_STORE !== undefined) return values.SESSION_STORE;
  if (values.REDIS_URL !== undefined) return "redis";
  return values.DATABASE_URL !== undefined ? "postgres" : "sqlite";
}

function api(values: Base, providers: readonly ProviderConfig[], problems: Problem[]): LaunchpadConfig["api"] {
  const issuers = values.API_AUTH_ISSUER ?? [];
  const jwksUris = values.API_AUTH_JWKS_URI ?? [];
  if (values.API_AUTH_JWT_ENABLED) {
    if (jwksUris.length > 0 && jwksUris.length !== issuers.length) {
      problems.push({
        name: "API_AUTH_JWKS_URI",
        problem: `has ${jwksUris.length} entries: expected one for each of the ${issuers.length} in API_AUTH_ISSUER, in the same order`,
      });
    }
    for (const issuer of new Set(issuers.filter((each, at) => issuers.indexOf(each) !== at))) {
      problems.push({ name: "API_AUTH_ISSUER", problem: `names ${issuer} twice` });
    }
    if (providers.length > 1 && values.API_AUTH_ACCESS_TOKEN_IDP === undefined) {
      problems.push({
        name: "API_AUTH_ACCESS_TOKEN_IDP",
        problem: "is missing: with several login providers it says which one exchanges the API clients' tokens",
      });
    }
  }
  const provider = values.API_AUTH_ACCESS_TOKEN_IDP ?? providers[0]?.id ?? "okta";
  if (values.API_AUTH_ACCESS_TOKEN_IDP !== undefined && !providers.some(({ id }) => id === provider)) {
    problems.push({ name: "API_AUTH_ACCESS_TOKEN_IDP", problem: `is ${provider}, which is not a login provider here` });
  }
  return {
    jwtEnabled: values.API_AUTH_JWT_ENABLED,
    issuers: issuers.map((issuer, at) => ({ issuer, jwksUri: jwksUris[at] })),
    audience: values.API_AUTH_AUDIENCE ?? [],
    requiredScopes: values.API_AUTH_REQUIRED_SCOPES ?? [],
    provider,
    corsOrigins: values.API_CORS_ORIGINS ?? [],
    appRequestsPerMinute: values.API_APP_RPM,
    clientRequestsPerMinute: values.API_CLIENT_RPM,
  };
}
