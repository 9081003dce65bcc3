import { randomUUID } from "node:crypto";
import { userInfo } from "node:os";
import { createLogger, type Env } from "@onbehalf/service-kit";
import { type Caller, localAdministrator } from "../caller.ts";
import type { Environment } from "../config/environment.ts";
import { readConfiguration } from "../config/read.ts";
import type { Settings } from "../config/settings.ts";
import { createKeyAdmin, type KeyAdmin } from "../keys/key-admin.ts";
import { createKeyStore } from "../keys/key-store.ts";
import { configuredPepper, createPepper, requireNotedPepper } from "../keys/pepper.ts";
import { createKeyHash } from "../keys/virtual-key.ts";
import { createRowOf, type Draft } from "../record/draft.ts";
import { createQueries, type RecordQueries } from "../record/queries.ts";
import { createRecorder } from "../record/recorder.ts";
import { createMigrator, type GatewayDatabase, openGatewayDatabase } from "../sql/open.ts";

/** What a command works with; the same database and configuration as the service's. */
export interface Session {
  readonly settings: Settings;
  readonly environment: Environment;
  readonly database: GatewayDatabase;
  readonly queries: RecordQueries;
  readonly keyAdmin: KeyAdmin;
  readonly caller: Caller;
  /** Runs something that changes keys, and records it like a request. */
  audited<T>(action: string, run: () => Promise<{ readonly result: T; readonly keys: readonly string[] }>): Promise<T>;
}

/** @throws ConfigError; StoreUnavailable when the database cannot be reached */
export async function withSession<T>(env: Env, work: (session: Session) => Promise<T>): Promise<T> {
  const { environment, settings } = readConfiguration(env, "administer");
  const place = { url: settings.databaseUrl, dataDir: environment.ONBEHALF_DATA_DIR };
  const database = await openGatewayDatabase(place, 2);
  const migrated = createMigrator(database);
  try {
    await migrated();
    const pepper = createPepper(configuredPepper(environment), database, migrated);
    const store = createKeyStore(database, migrated);
    const hash = async () => {
      await requireNotedPepper(database, await pepper());
      return createKeyHash(await pepper());
    };
    return await work({
      settings,
      environment,
      database,
      queries: createQueries(database, migrated),
      keyAdmin: createKeyAdmin({ store, hash }),
      caller: commandLineCaller(),
      audited: auditing(environment, settings, place),
    });
  } finally {
    await database.close();
  }
}

/** Whoever can read the database's address and the pepper is an administrator; the system's word for him is recorded. */
function commandLineCaller(): Caller {
  return localAdministrator(`cli:${userInfo().username}`);
}

const flushMs = 5_000;

function auditing(
  environment: Environment,
  settings: Settings,
  place: { url: string | undefined; dataDir: string },
): Session["audited"] {
  return async (action, run) => {
    const log = createLogger({ service: "gateway", level: "warn" });
    const recorder = createRecorder({
      dataDir: environment.ONBEHALF_DATA_DIR,
      database: place,
      maxSpoolBytes: settings.maxSpoolBytes,
      log,
    });
    const startedAt = performance.now();
    const draft: Draft = {
      id: randomUUID(),
      requestTime: new Date().toISOString(),
      traceId: randomUUID().replaceAll("-", ""),
      requestId: randomUUID(),
      route: `CLI keys ${action}`,
      caller: commandLineCaller(),
      detail: {},
    };
    let status = 500;
    try {
      const { result, keys } = await run();
      draft.detail.admin = { action, keys };
      status = 200;
      return result;
    } finally {
      recorder.record(createRowOf()(draft, { status, aborted: false, durationMs: performance.now() - startedAt }));
      await recorder.close(flushMs);
    }
  };
}
