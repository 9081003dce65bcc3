import { createWriteStream, mkdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { type Env, runMain, type ServiceIo } from "@onbehalf/service-kit";
import { banner } from "./banner.ts";
import { launch } from "./launch.ts";

// Started by `npm start`, it ends when its starter is gone, however that came about.
process.on("disconnect", () => process.kill(process.pid, "SIGTERM"));

await runMain(async (env) => {
  const { io, logFile } = whereToLog(env);
  const sandbox = await launch(env, io);
  process.stdout.write(banner(sandbox, logFile));
  return {
    ...sandbox,
    async close() {
      await sandbox.close();
      if (logFile !== undefined) process.stdout.write("Onbehalf has stopped.\n");
    },
  };
}, process.env);

/** A person at a terminal keeps what the banner says in sight; the log of this run goes to a file then. */
function whereToLog({ ONBEHALF_DATA_DIR: dataDir = ".onbehalf" }: Env): { io: ServiceIo; logFile?: string } {
  if (!process.stdout.isTTY) return { io: {} };
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const logFile = join(dataDir, "sandbox.log");
  return { io: { destination: createWriteStream(logFile, { mode: 0o600 }) }, logFile };
}
