export type { AccessLine, Outcome } from "./access-line.ts";
export { answerHeaders } from "./answer-headers.ts";
export { bodyLimit } from "./body-limit.ts";
export { type Env, type EnvRead, loadEnv, readEnv } from "./config/env.ts";
export {
  count,
  databaseUrl,
  flag,
  issuer,
  list,
  noticeWithinGrace,
  origins,
  port,
  redisUrl,
  seconds,
  secret,
  telemetryFields,
  type UrlOptions,
  url,
  urls,
} from "./config/fields.ts";
export { type FileOptions, type FileSource, loadFile, loadObject } from "./config/file.ts";
export { dataFolder, privateKeyFile } from "./config/paths.ts";
export { byVariable, ConfigError, type ConfigProblem } from "./config/problems.ts";
export { ClientGone, type Connection, ShuttingDown } from "./connection.ts";
export { createDeadlines, type Deadlines } from "./deadlines.ts";
export { type ErrorHandlerOptions, errorHandler, notFound } from "./errors.ts";
export { healthRoutes, type Readiness, type ReadinessCheck, type ReadyState, readiness } from "./health.ts";
export { HttpError, type HttpErrorDetails } from "./http-error.ts";
export type { InterruptionSignal } from "./interruption.ts";
export { jsonBody } from "./json-body.ts";
export { createLogger, type DestinationStream, hideAlso, type Log, type Logger, type LoggerOptions } from "./log.ts";
export { mask } from "./mask.ts";
export {
  answerHeader,
  beginRequest,
  type Handled,
  type Note,
  type RequestContextOptions,
  type RequestVariables,
  requestContext,
  type StepVariables,
} from "./request.ts";
export { runMain } from "./run.ts";
export { type SecurityHeadersOptions, securityHeaders } from "./security-headers.ts";
export { type RequestLimits, type ServeOptions, serve } from "./serve.ts";
export type { Service, ServiceIo, Start } from "./service.ts";
export { type Database, type DatabaseOptions, openDatabase } from "./sql/database.ts";
export type { Migration, SqlDialect } from "./sql/migrate.ts";
export { createFileCheck, isSqliteBusy, makePrivately, openSqlite } from "./sql/sqlite-file.ts";
export { type MemoryStoreOptions, memoryStore } from "./stores/memory.ts";
export { type RedisStoreOptions, redisStore } from "./stores/redis.ts";
export type { RedisClient } from "./stores/redis-client.ts";
export { openRedis, type RedisConnection, type RedisOptions } from "./stores/redis-connection.ts";
export type { KeyValueStore, Lease, Lifetime } from "./stores/store.ts";
export { redisTokenStore, tokenStoreOver } from "./stores/token-store.ts";
export {
  type CounterOptions,
  createTelemetry,
  type HistogramOptions,
  type Labels,
  type Meters,
  type RequestObserver,
  type Span,
  type Telemetry,
  type TelemetryOptions,
} from "./telemetry/telemetry.ts";
export { createRandomHex, parseTraceparent, type Trace } from "./trace.ts";
export {
  createTrail,
  type Trail,
  type TrailExchange,
  type TrailHop,
  type TrailIdentity,
  type TrailOptions,
  type TrailReader,
  trailIdentity,
} from "./trail.ts";
export { writeAtTurnsEnd } from "./turn.ts";
export { StoreUnavailable } from "./unavailable.ts";
export { within } from "./within.ts";
