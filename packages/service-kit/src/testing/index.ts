export { freePort } from "./free-port.ts";
export { type CapturedLogs, captureLogs } from "./logs.ts";
export { type PostgresServer, startPostgres } from "./postgres.ts";
export { findProgram, isInstalled, type ProgramName } from "./programs.ts";
export { type RedisServer, startRedis } from "./redis.ts";
export type { ScratchServer } from "./scratch-server.ts";
