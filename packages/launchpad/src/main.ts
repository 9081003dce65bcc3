import { runMain } from "@onbehalf/service-kit";
import { start } from "./start.ts";

await runMain(start, process.env);
