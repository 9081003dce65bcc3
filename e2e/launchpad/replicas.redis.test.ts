import { startRedis } from "@onbehalf/service-kit/testing";
import { replicaSuite } from "./replicas.ts";

replicaSuite("Redis", async () => {
  const server = await startRedis();
  const env = { REDIS_URL: server.url, ENCRYPTION_SECRET: "a-secret-for-what-lies-in-redis-0123456789" };
  return { env, stop: () => server.stop() };
});
