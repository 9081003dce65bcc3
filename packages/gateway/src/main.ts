import { type Env, runMain } from "@onbehalf/service-kit";
import { start } from "./start.ts";

/** SIGHUP takes the changed file into force without losing a request. */
async function startReloadable(env: Env) {
  const gateway = await start(env);
  process.on("SIGHUP", () => void gateway.reload());
  return gateway;
}

await runMain(startReloadable, process.env);
