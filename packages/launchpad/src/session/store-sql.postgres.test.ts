import { openDatabase } from "@onbehalf/service-kit";
import { startPostgres } from "@onbehalf/service-kit/testing";
import { type LaunchpadTables, migrations } from "../schema.ts";
import { sessionStoreContract } from "./store.contract.ts";
import { sqlSessionStore } from "./store-sql.ts";

sessionStoreContract("Postgres", async () => {
  const server = await startPostgres();
  const open = () => openDatabase<LaunchpadTables>({ url: server.url, dataDir: "unused", file: "unused" });
  const [one, other] = [await open(), await open()];
  await Promise.all([one.migrate("launchpad", migrations), other.migrate("launchpad", migrations)]);
  return {
    one: sqlSessionStore(one),
    other: sqlSessionStore(other),
    async close() {
      await one.close();
      await other.close();
      await server.stop();
    },
  };
});
