import { type PostgresServer, type RedisServer, startPostgres, startRedis } from "@onbehalf/service-kit/testing";
import { afterAll, beforeAll } from "vitest";
import { accessSuite } from "./testing/suites/access.suite.ts";
import { boundsSuite } from "./testing/suites/bounds.suite.ts";
import type { Engine } from "./testing/suites/engine.ts";
import { keysSuite } from "./testing/suites/keys.suite.ts";
import { limitsSuite } from "./testing/suites/limits.suite.ts";
import { recordSuite } from "./testing/suites/record.suite.ts";
import { rotationSuite } from "./testing/suites/rotation.suite.ts";
import { usageSuite } from "./testing/suites/usage.suite.ts";

let postgres: PostgresServer;
let redis: RedisServer;
let databases = 0;
beforeAll(async () => {
  [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
});
afterAll(() => Promise.all([postgres.stop(), redis.stop()]));

const engine: Engine = {
  name: "PostgreSQL and Redis",
  shared: true,
  async fresh() {
    databases += 1;
    // Redis has sixteen databases: each gateway under test counts in one of its own.
    return { DATABASE_URL: await postgres.createDatabase(), REDIS_URL: `${redis.url}/${databases % 16}` };
  },
};

accessSuite(engine);
keysSuite(engine);
boundsSuite(engine);
limitsSuite(engine);
recordSuite(engine);
rotationSuite(engine);
usageSuite(engine);
