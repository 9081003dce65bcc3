import { isInstalled } from "../packages/service-kit/src/testing/programs.ts";

/** Programs that some tests run for real. `tests` is the mark in those tests' file names. */
export const programs = [
  { tests: "redis", program: "redis", name: "Redis", debian: "redis-server" },
  { tests: "postgres", program: "postgres", name: "PostgreSQL", debian: "postgresql" },
  { tests: "browser", program: "chromium", name: "Chromium", debian: "chromium" },
] as const;

/** The programs this machine lacks; the tests marked with them cannot run here. */
export const missingPrograms = programs.filter(({ program }) => !isInstalled(program));
