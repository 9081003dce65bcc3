import { ConfigError } from "@onbehalf/service-kit";
import { createProgram } from "./commands/program.ts";

/** EX_CONFIG of sysexits.h. */
const exitConfig = 78;

const program = createProgram(process.env, {
  print: (text) => process.stdout.write(`${text}\n`),
  write: (text) => process.stdout.write(text),
  setExitCode: (code) => {
    process.exitCode = code;
  },
});
try {
  await program.parseAsync(process.argv);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof ConfigError ? exitConfig : 1;
}
