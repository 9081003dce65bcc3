import type { LaunchpadDatabase, LaunchpadTables } from "../schema.ts";
import { type App, type AppKey, appSettings } from "./app.ts";
import type { AppStore } from "./store.ts";

type AppRow = LaunchpadTables["launchpad_apps"];
type KeyRow = LaunchpadTables["launchpad_app_keys"];

/** Applications and keys in SQLite or Postgres. */
export function sqlAppStore({ kysely }: Pick<LaunchpadDatabase, "kysely">): AppStore {
  const ofKey = (appId: string, keyId: string) =>
    kysely.updateTable("launchpad_app_keys").where("app_id", "=", appId).where("id", "=", keyId);

  return {
    async apps() {
      const rows = await kysely.selectFrom("launchpad_apps").selectAll().orderBy("created_at").execute();
      return rows.map(toApp);
    },
    async app(id) {
      const row = await kysely.selectFrom("launchpad_apps").selectAll().where("id", "=", id).executeTakeFirst();
      return row && toApp(row);
    },
    async createApp(app) {
      await kysely.insertInto("launchpad_apps").values(fromApp(app)).execute();
    },
    async updateApp(app) {
      const { id, settings } = fromApp(app);
      const result = await kysely
        .updateTable("launchpad_apps")
        .set({ settings })
        .where("id", "=", id)
        .executeTakeFirst();
      return result.numUpdatedRows === 1n;
    },
    deleteApp: (id) =>
      kysely.transaction().execute(async (transaction) => {
        await transaction.deleteFrom("launchpad_app_keys").where("app_id", "=", id).execute();
        const result = await transaction.deleteFrom("launchpad_apps").where("id", "=", id).executeTakeFirst();
        return result.numDeletedRows === 1n;
      }),
    async keys(appId) {
      const rows = await kysely
        .selectFrom("launchpad_app_keys")
        .selectAll()
        .where("app_id", "=", appId)
        .orderBy("created_at")
        .execute();
      return rows.map(toKey);
    },
    async keysByHint(hint) {
      const rows = await kysely.selectFrom("launchpad_app_keys").selectAll().where("hint", "=", hint).execute();
      return rows.map(toKey);
    },
    async createKey(key) {
      await kysely
        .insertInto("launchpad_app_keys")
        .values({ ...key, disabled: key.disabled ? 1 : 0 })
        .execute();
    },
    async setKeyDisabled(appId, keyId, disabled) {
      const result = await ofKey(appId, keyId)
        .set({ disabled: disabled ? 1 : 0 })
        .executeTakeFirst();
      return result.numUpdatedRows === 1n;
    },
    async expireKey(appId, keyId, at) {
      const result = await ofKey(appId, keyId)
        .set({ expires_at: at })
        .where((where) => where.or([where("expires_at", "is", null), where("expires_at", ">", at)]))
        .executeTakeFirst();
      return result.numUpdatedRows === 1n;
    },
    async deleteKey(appId, keyId) {
      const result = await kysely
        .deleteFrom("launchpad_app_keys")
        .where("app_id", "=", appId)
        .where("id", "=", keyId)
        .executeTakeFirst();
      return result.numDeletedRows === 1n;
    },
    async used(keyId, at) {
      await kysely.updateTable("launchpad_app_keys").set({ last_used_at: at }).where("id", "=", keyId).execute();
    },
  };
}

function toApp({ id, settings, created_by, created_at }: AppRow): App {
  return {
    ...appSettings.parse(JSON.parse(settings)),
    id,
    source: "database",
    isDefault: false,
    created_by,
    created_at,
  };
}

function fromApp({ id, created_by, created_at, source: _source, isDefault: _default, ...settings }: App): AppRow {
  return { id, created_by, created_at, settings: JSON.stringify(settings) };
}

function toKey({ disabled, ...row }: KeyRow): AppKey {
  return { ...row, disabled: Number(disabled) === 1 };
}
