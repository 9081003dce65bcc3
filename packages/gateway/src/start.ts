import {
  createLogger,
  createTelemetry,
  type Env,
  hideAlso,
  type Logger,
  readiness,
  type Service,
  type ServiceIo,
  serve,
} from "@onbehalf/service-kit";
import { isLoopback } from "@onbehalf/shared-auth";
import { createApp } from "./app.ts";
import type { Environment } from "./config/environment.ts";
import { readConfiguration, readSettings } from "./config/read.ts";
import type { Settings } from "./config/settings.ts";
import { createFindKey } from "./keys/find-key.ts";
import { createKeyAdmin } from "./keys/key-admin.ts";
import { createKeyStore } from "./keys/key-store.ts";
import { configuredPepper, createPepper, notePepper } from "./keys/pepper.ts";
import { createKeyHash } from "./keys/virtual-key.ts";
import type { Counters } from "./limits/counters.ts";
import { guardedCounters } from "./limits/guarded-counters.ts";
import { createLimiter } from "./limits/limiter.ts";
import { memoryCounters } from "./limits/memory-counters.ts";
import { redisCounters } from "./limits/redis-counters.ts";
import { createQueries } from "./record/queries.ts";
import { createRecorder } from "./record/recorder.ts";
import { startRetention } from "./record/retention.ts";
import { createReload, type Reload } from "./reload.ts";
import { createRules } from "./rules.ts";
import { createMigrator, openGatewayDatabase } from "./sql/open.ts";

/** A gateway that can be told to read its file again. */
export interface Gateway extends Service {
  /** Takes the changed file into force; a broken one leaves the old rules as they are and says so in the log. */
  reload(): Promise<void>;
  /** Until every request answered so far is in the database, or the time has passed. @returns whether it is */
  flush(timeoutMs: number): Promise<boolean>;
}

/**
 * Starts the gateway: configuration, what it needs, the app, the server. Database and identity providers may still be
 * away; readiness says so.
 * @throws ConfigError with every problem of environment and file
 */
export async function start(env: Env, io: ServiceIo = {}): Promise<Gateway> {
  const { environment, settings } = readConfiguration(env);
  const log = io.log ?? logger(environment, settings, env, io);
  for (const warning of settings.warnings) log.warn({}, `configuration: ${warning}`);

  const telemetry = await createTelemetry({
    service: "gateway",
    log,
    host: environment.HOST,
    metricsPort: environment.METRICS_PORT,
    tracesEndpoint: environment.OTEL_EXPORTER_OTLP_ENDPOINT,
    tracesHeaders: environment.OTEL_EXPORTER_OTLP_HEADERS,
  });
  const dataDir = environment.ONBEHALF_DATA_DIR;
  const place = { url: settings.databaseUrl, dataDir };
  const database = await openGatewayDatabase(place);
  const migrated = createMigrator(database);
  const queries = createQueries(database, migrated);
  const recorder = createRecorder({ dataDir, database: place, maxSpoolBytes: settings.maxSpoolBytes, log });
  const counters = openCounters(environment, settings, log);
  const limiter = createLimiter({
    counters,
    spentUsd: queries.spentUsd,
    longestMs: () => reload.rules().forwarding.longestMs,
    onUnchecked: ({ name }, error) => log.warn({ limit: name, err: error }, "budget: not checked, the record is away"),
  });
  const keys = createKeyStore(database, migrated);
  const lookups = settings.databaseUrl === undefined ? database : await openGatewayDatabase(place, lookupConnections);
  const knownKeys = createKeyStore(lookups, migrated);
  const pepper = createPepper(configuredPepper(environment), database, migrated);
  const hashKey = async () => createKeyHash(await pepper());
  const findKey = createFindKey({
    store: knownKeys,
    hash: hashKey,
    keepWithoutDatabase: settings.keepKeysWithoutDatabase,
  });

  const keyAdmin = createKeyAdmin({ store: keys, hash: hashKey });

  const build = (next: Settings) => createRules({ settings: next, env, log, findKey, limiter });
  const reload: Reload = createReload({
    first: build(settings),
    read: () => {
      const next = readSettings(environment, env);
      hideAlso(log, knownSecrets(environment, next, env));
      return build(next);
    },
    watch: environment.CONFIG_WATCH ? environment.GATEWAY_CONFIG : undefined,
    log,
  });
  const ready = readiness({
    database: () => database.ready(),
    schema: migrated,
    identity_providers: () => reload.rules().keysReady(),
    models: () => reload.rules().forwarding.ready(),
    limits: () => counters.ready(),
    record: () => {
      const { full, error } = recorder.state();
      if (full) throw new Error(`too many rows wait to be written${error === undefined ? "" : `: ${error}`}`);
    },
    // There may be a database, and no reading it.
    keys: () => knownKeys.ready(),
  });
  await migrated()
    .then(async () => {
      if (await notePepper(database, await pepper())) return;
      log.warn(
        {},
        "LITELLM_SALT_KEY (or ENCRYPTION_SECRET) is another than before: no key made under that one is known here",
      );
    })
    .catch((error: unknown) => log.warn({ err: error }, "the database is away; JWTs are served, rows wait on disk"));

  const stopRetention = startRetention({
    database,
    migrated,
    retentionDays: () => reload.rules().settings.retentionDays,
    log,
  });

  let publicUrl = environment.PUBLIC_URL ?? "";
  const app = createApp({
    log,
    rules: reload.rules,
    recorder,
    queries,
    keyAdmin,
    keyStore: keys,
    awsRegion: env.AWS_REGION ?? env.AWS_DEFAULT_REGION,
    readiness: ready,
    publicUrl: () => publicUrl,
    telemetry,
    bodyTimeoutMs: environment.BODY_TIMEOUT_SECONDS * 1000,
    corsOrigins: environment.LITELLM_CORS_ORIGINS,
  });
  /** In turn, and each in its own time: a call that does not end keeps no row from the record. */
  const closers = [
    async () => {
      stopRetention();
      await reload.close();
    },
    () => recorder.close(flushMs(environment)),
    async () => {
      await Promise.all([counters.close(), database.close(), lookups.close(), telemetry.close()]);
    },
  ];
  try {
    const service = await serve({
      name: "gateway",
      app: { fetch: (request, bindings) => app.fetch(request, bindings) },
      host: environment.HOST,
      port: environment.GATEWAY_PORT,
      portVariable: "GATEWAY_PORT",
      reusePort: environment.REUSE_PORT,
      log,
      graceSeconds: environment.SHUTDOWN_GRACE_SECONDS,
      noticeSeconds: environment.SHUTDOWN_NOTICE_SECONDS,
      readiness: ready,
      // AWS's SDKs speak HTTP/2 with prior knowledge.
      http2: true,
      onClose: closers,
    });
    // People and the other services say localhost; identifiers are compared by the letter.
    if (publicUrl === "") publicUrl = isLoopback(environment.HOST) ? `http://localhost:${service.port}` : service.url;
    return { ...service, reload: reload.now, flush: recorder.flush };
  } catch (error) {
    for (const close of closers) await close();
    throw error;
  }
}

/** Apart from those of reports: whoever asks for many at once, or while the record is locked, takes no key's place. */
const lookupConnections = 3;

/** Rows that cannot be delivered in this time stay on disk for the next start. */
function flushMs(environment: Environment): number {
  return Math.min(5_000, environment.SHUTDOWN_GRACE_SECONDS * 500);
}

function openCounters(environment: Environment, settings: Settings, log: Logger): Counters {
  const memory = memoryCounters();
  if (environment.REDIS_URL === undefined) return memory;
  return guardedCounters(redisCounters({ url: environment.REDIS_URL, log }), memory, { ...settings.limiter, log });
}

function logger(environment: Environment, settings: Settings, env: Env, { destination }: ServiceIo): Logger {
  const secrets = knownSecrets(environment, settings, env);
  const options = { service: "gateway", level: environment.LOG_LEVEL, secrets };
  return createLogger(destination === undefined ? options : { ...options, destination });
}

/** Secrets that have no form to be known by: what a provider repeats of them in an error is hidden by its value. */
function knownSecrets({ LITELLM_SALT_KEY, ENCRYPTION_SECRET }: Environment, settings: Settings, env: Env): string[] {
  const upstream = settings.models.flatMap(({ litellm_params: params }) => [
    params.api_key,
    params.aws_secret_access_key,
    params.aws_session_token,
    params.token_exchange?.client_secret,
  ]);
  const known = [
    settings.masterKey,
    LITELLM_SALT_KEY,
    ENCRYPTION_SECRET,
    env.AWS_SECRET_ACCESS_KEY,
    env.AWS_SESSION_TOKEN,
    env.AWS_BEARER_TOKEN_BEDROCK,
    settings.file.bedrock?.bearer_key,
    settings.signIn?.client_secret,
    ...upstream,
  ];
  return [...new Set(known.filter((secret) => secret !== undefined))];
}
