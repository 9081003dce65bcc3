import {
  createLogger,
  createTelemetry,
  type Env,
  hideAlso,
  type Logger,
  readiness,
  type ServeOptions,
  type Service,
  type ServiceIo,
  serve,
  type Telemetry,
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
import { createLimiter, type LimiterOptions } from "./limits/limiter.ts";
import { memoryCounters } from "./limits/memory-counters.ts";
import { recordedSpend } from "./limits/recorded-spend.ts";
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

  const telemetry = await openTelemetry(environment, log);
  const record = await openRecord(environment, settings, log);
  const { database, migrated, recorder, queries } = record;
  const counters = openCounters(environment, settings, log);
  const longestMs = () => reload.rules().forwarding.longestMs;
  const waiting = () => recorder.state().waiting;
  const spentUsd = recordedSpend({ waiting, flush: recorder.flush, spentUsd: queries.spentUsd });
  const limiter = createLimiter({ counters, longestMs, spentUsd, onUnchecked: tellUnchecked(log) });
  const keys = await openKeys(environment, settings, record);
  const build = (next: Settings) => createRules({ settings: next, env, log, findKey: keys.find, limiter });
  const again = (): Settings => {
    const next = readSettings(environment, env);
    hideAlso(log, knownSecrets(environment, next, env));
    return next;
  };
  const watch = environment.CONFIG_WATCH ? environment.GATEWAY_CONFIG : undefined;
  const reload: Reload = createReload({ first: build(settings), read: () => build(again()), watch, log });
  const ready = readiness(checksOf({ record, keys, counters, reload }));
  await migrate(record, keys, log);
  const retentionDays = () => reload.rules().settings.retentionDays;
  const stopRetention = startRetention({ database, migrated, retentionDays, log });

  let publicUrl = environment.PUBLIC_URL ?? "";
  const app = createApp({
    log,
    rules: reload.rules,
    recorder,
    queries,
    keyAdmin: keys.admin,
    keyStore: keys.store,
    awsRegion: env.AWS_REGION ?? env.AWS_DEFAULT_REGION,
    readiness: ready,
    publicUrl: () => publicUrl,
    telemetry,
    bodyTimeoutMs: environment.BODY_TIMEOUT_SECONDS * 1000,
    corsOrigins: environment.LITELLM_CORS_ORIGINS,
  });
  const endReloads = async () => {
    stopRetention();
    await reload.close();
  };
  const closeAll = async () => {
    await Promise.all([counters, database, keys.lookups, telemetry].map((one) => one.close()));
  };
  /** In turn, and each in its own time: a call that does not end keeps no row from the record. */
  const closers = [endReloads, () => recorder.close(flushMs(environment)), closeAll];
  try {
    const service = await listen(environment, { app, log, readiness: ready, onClose: closers });
    // People and the other services say localhost; identifiers are compared by the letter.
    if (publicUrl === "") publicUrl = isLoopback(environment.HOST) ? `http://localhost:${service.port}` : service.url;
    return { ...service, reload: reload.now, flush: recorder.flush };
  } catch (error) {
    for (const close of closers) await close();
    throw error;
  }
}

function openTelemetry(environment: Environment, log: Logger): Promise<Telemetry> {
  return createTelemetry({
    service: "gateway",
    log,
    host: environment.HOST,
    metricsPort: environment.METRICS_PORT,
    tracesEndpoint: environment.OTEL_EXPORTER_OTLP_ENDPOINT,
    tracesHeaders: environment.OTEL_EXPORTER_OTLP_HEADERS,
  });
}

type GatewayRecord = Awaited<ReturnType<typeof openRecord>>;

/** The database, who writes into it and who asks it. */
async function openRecord(environment: Environment, settings: Settings, log: Logger) {
  const { databaseUrl: url, maxSpoolBytes } = settings;
  const dataDir = environment.ONBEHALF_DATA_DIR;
  const place = { url, dataDir };
  const database = await openGatewayDatabase(place);
  const migrated = createMigrator(database);
  const recorder = createRecorder({ dataDir, database: place, maxSpoolBytes, log });
  return { place, database, migrated, recorder, queries: createQueries(database, migrated) };
}

/** Apart from those of reports: whoever asks for many at once, or while the record is locked, takes no key's place. */
const lookupConnections = 3;

type GatewayKeys = Awaited<ReturnType<typeof openKeys>>;

/** Virtual keys: where they are, who finds them and who makes them. */
async function openKeys(environment: Environment, settings: Settings, { place, database, migrated }: GatewayRecord) {
  const lookups = place.url === undefined ? database : await openGatewayDatabase(place, lookupConnections);
  const store = createKeyStore(database, migrated);
  const known = createKeyStore(lookups, migrated);
  const pepper = createPepper(configuredPepper(environment), database, migrated);
  const hash = async () => createKeyHash(await pepper());
  const { keepKeysWithoutDatabase: keepWithoutDatabase } = settings;
  return {
    lookups,
    store,
    pepper,
    find: createFindKey({ store: known, hash, keepWithoutDatabase }),
    admin: createKeyAdmin({ store, hash }),
    ready: () => known.ready(),
  };
}

interface Checked {
  readonly record: GatewayRecord;
  readonly keys: GatewayKeys;
  readonly counters: Counters;
  readonly reload: Reload;
}

/** What must be there for requests to be answered. */
function checksOf({ record, keys, counters, reload }: Checked): Parameters<typeof readiness>[0] {
  return {
    database: () => record.database.ready(),
    schema: record.migrated,
    identity_providers: () => reload.rules().keysReady(),
    models: () => reload.rules().forwarding.ready(),
    limits: () => counters.ready(),
    record: () => {
      const { full, error } = record.recorder.state();
      if (full) throw new Error(`too many rows wait to be written${error === undefined ? "" : `: ${error}`}`);
    },
    // There may be a database, and no reading it.
    keys: keys.ready,
  };
}

/** A database that is away is no reason not to start: it is migrated when it comes. */
async function migrate({ database, migrated }: GatewayRecord, { pepper }: GatewayKeys, log: Logger): Promise<void> {
  try {
    await migrated();
    if (await notePepper(database, await pepper())) return;
    log.warn(
      {},
      "LITELLM_SALT_KEY (or ENCRYPTION_SECRET) is another than before: no key made under that one is known here",
    );
  } catch (error) {
    log.warn({ err: error }, "the database is away; JWTs are served, rows wait on disk");
  }
}

type Listening = Pick<ServeOptions, "log" | "readiness" | "onClose"> & { readonly app: ReturnType<typeof createApp> };

function listen(environment: Environment, { app, ...options }: Listening): Promise<Service> {
  return serve({
    ...options,
    name: "gateway",
    app: { fetch: (request, bindings) => app.fetch(request, bindings) },
    host: environment.HOST,
    port: environment.GATEWAY_PORT,
    portVariable: "GATEWAY_PORT",
    reusePort: environment.REUSE_PORT,
    graceSeconds: environment.SHUTDOWN_GRACE_SECONDS,
    noticeSeconds: environment.SHUTDOWN_NOTICE_SECONDS,
    // AWS's SDKs speak HTTP/2 with prior knowledge.
    http2: true,
  });
}

/** Rows that cannot be delivered in this time stay on disk for the next start. */
function flushMs(environment: Environment): number {
  return Math.min(5_000, environment.SHUTDOWN_GRACE_SECONDS * 500);
}

function openCounters(environment: Environment, settings: Settings, log: Logger): Counters {
  const memory = memoryCounters();
  if (environment.REDIS_URL === undefined) return memory;
  return guardedCounters(redisCounters({ url: environment.REDIS_URL, log }), memory, { ...settings.limiter, log });
}

function tellUnchecked(log: Logger): LimiterOptions["onUnchecked"] {
  return ({ name }, error) => log.warn({ limit: name, err: error }, "budget: not checked, the record is away");
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
