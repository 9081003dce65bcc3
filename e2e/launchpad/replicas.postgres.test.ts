import { startPostgres } from "@onbehalf/service-kit/testing";
import { replicaSuite } from "./replicas.ts";

replicaSuite("Postgres", async () => {
  const server = await startPostgres();
  return { env: { DATABASE_URL: server.url }, stop: () => server.stop() };
});
