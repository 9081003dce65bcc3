import { start } from "@onbehalf/gateway";

/** The gateway as it ships, every stage on, in a process of its own. */
const service = await start(process.env);
process.send?.({ port: service.port });
process.on("message", (message) => {
  if (message === "memory") process.send?.({ rss: process.memoryUsage().rss });
});
