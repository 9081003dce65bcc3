import { runMain } from "@onbehalf/service-kit";
import { start } from "./start.ts";

await runMain(async (env) => {
  const service = await start(env);
  process.on("SIGHUP", () => void service.reload());
  return service;
}, process.env);
