import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDatabase } from "@onbehalf/service-kit";
import { type LaunchpadTables, migrations } from "../schema.ts";
import { sessionStoreContract } from "./store.contract.ts";
import { sqlSessionStore } from "./store-sql.ts";

sessionStoreContract("SQLite", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "onbehalf-sessions-"));
  const open = () => openDatabase<LaunchpadTables>({ dataDir, file: "launchpad.sqlite" });
  const [one, other] = [await open(), await open()];
  await one.migrate("launchpad", migrations);
  return {
    one: sqlSessionStore(one),
    other: sqlSessionStore(other),
    async close() {
      await one.close();
      await other.close();
      await rm(dataDir, { recursive: true });
    },
  };
});
