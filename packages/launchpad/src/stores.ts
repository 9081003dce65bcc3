import { memoryStore, openDatabase } from "@onbehalf/service-kit";
import type { LaunchpadConfig } from "./config.ts";
import { type LaunchpadDatabase, type LaunchpadTables, migrations } from "./schema.ts";
import type { SessionStore } from "./session/store.ts";
import { keyValueSessionStore } from "./session/store-key-value.ts";
import { sqlSessionStore } from "./session/store-sql.ts";

/** Opens the database of applications and, where sessions live in SQL, of sessions. */
export async function openStores(
  config: LaunchpadConfig,
): Promise<{ database: LaunchpadDatabase; sessions: SessionStore }> {
  const database = await openDatabase<LaunchpadTables>({
    ...(config.databaseUrl === undefined ? {} : { url: config.databaseUrl }),
    dataDir: config.dataDir,
    file: "launchpad.sqlite",
  });
  await database.migrate("launchpad", migrations);
  return { database, sessions: await sessionStore(config, database) };
}

async function sessionStore(config: LaunchpadConfig, database: LaunchpadDatabase): Promise<SessionStore> {
  const { store } = config.session;
  if (store === "memory") return keyValueSessionStore(memoryStore({ maxEntries: 100_000 }));
  return sqlSessionStore(database);
}
