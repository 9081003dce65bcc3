import process from "node:process";
import { runMain } from "@onbehalf/service-kit";
import { banner } from "./banner.ts";
import { launch } from "./launch.ts";

// Started by `npm start`, it ends when its starter is gone, however that came about.
process.on("disconnect", () => process.kill(process.pid, "SIGTERM"));

await runMain(async (env) => {
  const sandbox = await launch(env);
  process.stdout.write(banner(sandbox));
  return sandbox;
}, process.env);
