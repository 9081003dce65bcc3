import { spawnSync } from "node:child_process";
import process from "node:process";
import { missingPrograms } from "./programs.ts";

const say = (line: string): boolean => process.stdout.write(`${line}\n`);

for (const { tests, name, debian } of missingPrograms) {
  say(`${name} is not installed: every *.${tests}.test.ts is left out (Debian package: ${debian})`);
}
if (missingPrograms.length > 0 && process.env.ONBEHALF_TESTS === "all") {
  say("ONBEHALF_TESTS=all asks for every test, so this run stops here. Install what is named above.");
  process.exit(1);
}

const stages: readonly [name: string, command: string, ...args: string[]][] = [
  ["types", "tsc", "-p", "."],
  ["lint", "biome", "check", "--error-on-warnings", "."],
  ["tests", "vitest", "run"],
];
for (const [name, command, ...args] of stages) {
  say(`\n── ${name}: ${command} ${args.join(" ")}`);
  const { status, error } = spawnSync(command, args, { stdio: "inherit" });
  if (error !== undefined) say(`${command} could not be started: ${error.message}. Run this by \`npm test\`.`);
  if (status !== 0) process.exit(status ?? 1);
}
