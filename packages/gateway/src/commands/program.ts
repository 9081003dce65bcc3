import type { Env } from "@onbehalf/service-kit";
import { Command } from "commander";
import { type AuditIo, auditCommand } from "./audit.ts";
import { configCommand } from "./config.ts";
import { keysCommand } from "./keys.ts";

/** `pnpm gateway …`. Configured like the service: by the same environment and file. */
export function createProgram(env: Env, io: AuditIo): Command {
  return new Command("gateway")
    .description("administer the gateway from where its database and configuration are")
    .addCommand(keysCommand(env, io.print))
    .addCommand(auditCommand(env, io))
    .addCommand(configCommand(env, io.print));
}
