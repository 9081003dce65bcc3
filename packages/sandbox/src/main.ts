import process from "node:process";
import { runMain } from "@onbehalf/service-kit";
import { banner } from "./banner.ts";
import { launch } from "./launch.ts";

await runMain(async (env) => {
  const sandbox = await launch(env);
  process.stdout.write(banner(sandbox));
  return sandbox;
}, process.env);
