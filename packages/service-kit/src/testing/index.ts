export { freePort } from "./free-port.ts";
export { type CapturedLogs, captureLogs } from "./logs.ts";
export { findProgram, isInstalled, type ProgramName } from "./programs.ts";
