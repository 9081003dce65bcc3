import { redisStore } from "@onbehalf/service-kit";
import { startRedis } from "@onbehalf/service-kit/testing";
import { sessionStoreContract } from "./store.contract.ts";
import { keyValueSessionStore } from "./store-key-value.ts";

sessionStoreContract("Redis", async () => {
  const server = await startRedis();
  const options = {
    url: server.url,
    prefix: "launchpad:sessions",
    encryptionSecret: "0123456789abcdef0123456789abcdef",
  };
  const [one, other] = [await redisStore(options), await redisStore(options)];
  return {
    one: keyValueSessionStore(one),
    other: keyValueSessionStore(other),
    async close() {
      await one.close();
      await other.close();
      await server.stop();
    },
  };
});
