import {
  type KeyValueStore,
  memoryStore,
  openDatabase,
  openRedis,
  type RedisClient,
  redisStore,
  redisTokenStore,
} from "@onbehalf/service-kit";
import type { TokenStore } from "@onbehalf/shared-auth";
import type { LaunchpadConfig } from "./config.ts";
import { type LaunchpadDatabase, type LaunchpadTables, migrations } from "./schema.ts";
import type { SessionStore } from "./session/store.ts";
import { keyValueSessionStore } from "./session/store-key-value.ts";
import { sqlSessionStore } from "./session/store-sql.ts";

/** Where this service keeps what must outlive a request. */
export interface Stores {
  readonly database: LaunchpadDatabase;
  readonly sessions: SessionStore;
  /** Exchanged tokens that all replicas share; undefined: each keeps its own in memory. */
  readonly tokens: TokenStore | undefined;
  /** Where all replicas count requests; undefined: each for itself. */
  readonly counters: RedisClient | undefined;
  /** Short-lived state of all replicas; undefined: each has its own. */
  readonly shared: KeyValueStore | undefined;
  /** What must be reachable for the service to be ready. */
  readonly checks: Readonly<Record<string, () => Promise<void>>>;
  close(): Promise<void>;
}

type OnError = (error: Error) => void;

/**
 * Opens them. A database or Redis that is away does not stop the start: the service is not ready until it is back.
 * @param onError told of broken connections
 */
export async function openStores(config: LaunchpadConfig, onError: OnError): Promise<Stores> {
  const database = await openDatabase<LaunchpadTables>({
    url: config.databaseUrl,
    dataDir: config.dataDir,
    file: "launchpad.sqlite",
    onConnectionError: onError,
  });
  const prepared = prepareDatabase(database, onError);
  await prepared();
  const url = config.redisUrl;
  // Side by side: each waits a while for a Redis that is away.
  const [sessions, tokens, counting, shared] = await Promise.all([
    openSessions(config, database, onError),
    url === undefined ? undefined : redisTokenStore(redis(config, "tokens", onError)),
    url === undefined ? undefined : openRedis({ url, onError }),
    url === undefined ? undefined : redisStore(redis(config, "trail", onError)),
  ]);
  return {
    database,
    sessions,
    tokens,
    shared,
    counters: counting?.client,
    checks: { database: prepared, sessions: () => sessions.ping(), ...(tokens && { tokens: () => tokens.ready() }) },
    async close() {
      await sessions.close();
      await tokens?.close();
      await counting?.close();
      await shared?.close();
      await database.close();
    },
  };
}

/** Brings the tables up to date; while the database is away, at the next look. Rejects only when used as a check. */
function prepareDatabase(database: LaunchpadDatabase, onError: OnError): () => Promise<void> {
  let isPrepared = false;
  let isFirst = true;
  return async () => {
    const first = isFirst;
    isFirst = false;
    try {
      if (!isPrepared) await database.migrate("launchpad", migrations);
      isPrepared = true;
      await database.ready();
    } catch (error) {
      if (!first || database.dialect === "sqlite") throw error;
      onError(error instanceof Error ? error : new Error(String(error)));
    }
  };
}

async function openSessions(
  config: LaunchpadConfig,
  database: LaunchpadDatabase,
  onError: OnError,
): Promise<SessionStore> {
  if (config.session.store === "memory") return keyValueSessionStore(memoryStore({ maxEntries: 100_000 }));
  if (config.session.store === "redis") return keyValueSessionStore(await openRedisStore(config, onError));
  return sqlSessionStore(database);
}

function openRedisStore(config: LaunchpadConfig, onError: OnError): Promise<KeyValueStore> {
  return redisStore(redis(config, "sessions", onError));
}

function redis(config: LaunchpadConfig, purpose: string, onError: OnError) {
  return {
    url: config.redisUrl ?? "",
    prefix: `launchpad:${purpose}`,
    encryptionSecret: config.encryptionSecret,
    what: `store of ${purpose}`,
    onError,
  };
}
