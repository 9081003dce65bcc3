import {
  byVariable,
  ConfigError,
  type ConfigProblem,
  databaseUrl,
  dataFolder,
  type Env,
  flag,
  list,
  noticeWithinGrace,
  port,
  readEnv,
  redisUrl,
  seconds,
  secret,
  telemetryFields,
  url,
} from "@onbehalf/service-kit";
import { z } from "zod";
import { type ApiConfig, apiConfig, apiProblems, apiVariables } from "./api-config.ts";
import { type FileApps, readAppsFile } from "./apps/file.ts";
import { needed } from "./needed.ts";
import {
  type ProviderConfig,
  type ProviderId,
  providerIds,
  providerProblems,
  providerVariables,
  readProvider,
} from "./providers-config.ts";

const sessionStores = ["memory", "sqlite", "redis", "postgres"] as const;
type SessionStoreKind = (typeof sessionStores)[number];

/** Everything this service was told, checked and frozen. */
export interface LaunchpadConfig {
  readonly host: string;
  readonly port: number;
  /** Where browsers see this service: an origin without a trailing slash. */
  readonly publicUrl: string;
  readonly logLevel: string;
  readonly graceSeconds: number;
  readonly noticeSeconds: number;
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
  readonly api: ApiConfig;
  readonly session: {
    readonly secret: string;
    readonly store: SessionStoreKind;
    readonly absoluteSeconds: number;
    readonly idleSeconds: number;
  };
  /** Seals cached tokens where they leave this process; falls back to the session secret. */
  readonly encryptionSecret: string;
  /** Those of `LAUNCHPAD_APPS_FILE`; none without it. */
  readonly fileApps: FileApps;
  readonly adminGroups: readonly string[];
}

/** `OKTA_AUTH_ENABLED` and its like: off is also what is named in LOGIN_PROVIDERS. */
const switches = Object.fromEntries(providerIds.map((id) => [switchOf(id), flag().default(true)]));

function switchOf(id: ProviderId): string {
  return `${id.toUpperCase()}_AUTH_ENABLED`;
}

/** The variables; which of them are needed depends on the others, so that every problem is seen at once. */
function variables(env: Env) {
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
    SHUTDOWN_NOTICE_SECONDS: seconds({ max: 3600 }).default(0),
    ONBEHALF_DATA_DIR: (keepsFiles ? dataFolder() : z.string()).prefault(".onbehalf"),
    REDIS_URL: needed(redisUrl(), env.SESSION_STORE === "redis"),
    DATABASE_URL: needed(databaseUrl(), env.SESSION_STORE === "postgres"),
    ...telemetryFields(),
    ENCRYPTION_SECRET: secret({ min: 32 }).optional(),
    LOGIN_PROVIDERS: list().optional(),
    VOICEBOX_SERVICE_ENDPOINT: url(),
    VOICEBOX_SERVICE_SCOPE: list({ min: 1 }),
    VOICEBOX_TIMEOUT_SECONDS: seconds({ min: 1 }).default(300),
    ...apiVariables(env),
    SESSION_SECRET: secret({ min: 32 }),
    SESSION_EXPIRATION: seconds({ min: 1 }).default(43_200),
    SESSION_IDLE_SECONDS: seconds({ min: 1 }).optional(),
    SESSION_STORE: z.enum(sessionStores).optional(),
    LAUNCHPAD_APPS_FILE: z.string().trim().min(1).optional(),
    LAUNCHPAD_ADMIN_GROUPS: list().optional(),
  };
}

type Base = z.infer<z.ZodObject<ReturnType<typeof variables>>>;

/**
 * Reads and checks the whole environment, and the applications file that it names.
 * @throws ConfigError naming every problem of both at once
 */
export function readConfig(env: Env): LaunchpadConfig {
  const enabled = enabledProviders(env);
  const ofProviders = Object.assign({}, ...enabled.known.map((id) => providerVariables(id, env))) as z.ZodRawShape;
  const read = readEnv(z.object({ ...variables(env), ...switches, ...ofProviders }).check(noticeWithinGrace()), env);
  const apps = readApps(read.good.LAUNCHPAD_APPS_FILE, env);
  const problems = [
    ...enabled.problems,
    ...read.problems,
    ...enabled.known.flatMap((id) => providerProblems(id, read.good)),
    ...apiProblems(read.good, enabled.known),
    ...apps.problems,
  ];
  if (read.values === undefined || problems.length > 0) throw new ConfigError(problems);
  const { values } = read;
  const providers = enabled.known.map((id) => readProvider(id, values));
  return Object.freeze(assemble(values, providers, apps.read));
}

function readApps(path: string | undefined, env: Env): { read: FileApps; problems: readonly ConfigProblem[] } {
  const none: FileApps = { apps: [], keys: [] };
  if (path === undefined) return { read: none, problems: [] };
  try {
    return { read: readAppsFile(path, env), problems: [] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { read: none, problems: byVariable(error.problems, "LAUNCHPAD_APPS_FILE", path) };
  }
}

/** `LOGIN_PROVIDERS` says which; without it Okta, as this service's users know it. */
function enabledProviders(env: Env): { known: readonly ProviderId[]; problems: readonly ConfigProblem[] } {
  const named = (env.LOGIN_PROVIDERS || "okta").split(",").map((name) => name.trim().toLowerCase());
  const asked = [...new Set(named.filter((name) => name !== ""))];
  const known = providerIds.filter((id) => asked.includes(id) && env[switchOf(id)] !== "false");
  const unknown = asked.filter((name) => !(providerIds as readonly string[]).includes(name));
  const problems = unknown.map((name) => ({
    name: "LOGIN_PROVIDERS",
    problem: `names "${name}", which is none of ${providerIds.join(", ")}`,
  }));
  if (known.length === 0) {
    problems.push({ name: "LOGIN_PROVIDERS", problem: "leaves no way to sign in: enable at least one provider" });
  }
  return { known, problems };
}

function assemble(values: Base, providers: readonly ProviderConfig[], fileApps: FileApps): LaunchpadConfig {
  return {
    host: values.HOST,
    port: values.LAUNCHPAD_PORT,
    publicUrl: values.PUBLIC_URL ? new URL(values.PUBLIC_URL).origin : `http://localhost:${values.LAUNCHPAD_PORT}`,
    logLevel: values.LOG_LEVEL,
    graceSeconds: values.SHUTDOWN_GRACE_SECONDS,
    noticeSeconds: values.SHUTDOWN_NOTICE_SECONDS,
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
    api: apiConfig(values, providers),
    session: {
      secret: values.SESSION_SECRET,
      store: sessionStore(values),
      absoluteSeconds: values.SESSION_EXPIRATION,
      idleSeconds: Math.min(values.SESSION_IDLE_SECONDS ?? values.SESSION_EXPIRATION, values.SESSION_EXPIRATION),
    },
    encryptionSecret: values.ENCRYPTION_SECRET ?? values.SESSION_SECRET,
    fileApps,
    adminGroups: values.LAUNCHPAD_ADMIN_GROUPS ?? [],
  };
}

/** Where sessions live: what replicas share when there is such a thing, else a file, which outlives a restart. */
function sessionStore(values: Base): SessionStoreKind {
  if (values.SESSION_STORE !== undefined) return values.SESSION_STORE;
  if (values.REDIS_URL !== undefined) return "redis";
  return values.DATABASE_URL !== undefined ? "postgres" : "sqlite";
}
