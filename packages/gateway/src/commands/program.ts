import type { Env } from "@onbehalf/service-kit";
import { Command } from "commander";
import { type AuditIo, auditCommand } from "./audit.ts";
import { configCommand } from "./config.ts";
import { keysCommand } from "./keys.ts";

/** `npm run -s gateway -- …`. Configured like the service: by the same environment and file. */
export function createProgram(env: Env, io: AuditIo): Command {
  const program = new Command("gateway").description(
    "administer the gateway from where its database and configuration are",
  );
  const groups = [keysCommand(env, io.print), auditCommand(env, io), configCommand(env, io.print)];
  for (const command of [program, ...groups]) {
    command.allowExcessArguments().action(() => {
      const [unknown] = command.args;
      if (unknown !== undefined)
        throw new TypeError(
          `${command.name()} has no command ${unknown}; ${command.name()} --help lists what there is`,
        );
      // Asking what there is, by naming nothing, is no mistake.
      io.print(command.helpInformation());
    });
  }
  for (const group of groups) program.addCommand(group);
  return program;
}
