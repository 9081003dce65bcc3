import { randomUUID } from "node:crypto";
import type { LaunchpadDatabase, LaunchpadTables } from "../schema.ts";
import type { SessionStore, StoredSession } from "./store.ts";

type Row = LaunchpadTables["launchpad_sessions"];

/** Sessions in SQLite, for one process that may restart, or in Postgres, for several. */
export function sqlSessionStore({ kysely, ready }: LaunchpadDatabase, now: () => number = Date.now): SessionStore {
  const removed = async (column: "id" | "owner" | "provider_session", value: string): Promise<number> => {
    const result = await kysely.deleteFrom("launchpad_sessions").where(column, "=", value).executeTakeFirst();
    return Number(result.numDeletedRows);
  };

  return {
    async create(session) {
      const row = { ...toRow(session), leased_until: 0, lease_holder: null };
      await kysely.insertInto("launchpad_sessions").values(row).execute();
    },
    async find(id) {
      const row = await kysely.selectFrom("launchpad_sessions").selectAll().where("id", "=", id).executeTakeFirst();
      return row && fromRow(row);
    },
    async replace({ id, generation, sealed }) {
      const result = await kysely
        .updateTable("launchpad_sessions")
        .set({ sealed, generation })
        .where("id", "=", id)
        .where("generation", "=", generation - 1)
        .executeTakeFirst();
      return result.numUpdatedRows === 1n;
    },
    async touch(id, lastSeenAt) {
      await kysely
        .updateTable("launchpad_sessions")
        .set({ last_seen_at: lastSeenAt })
        .where("id", "=", id)
        .where("last_seen_at", "<", lastSeenAt)
        .execute();
    },
    async remove(id) {
      await removed("id", id);
    },
    async ofOwner(owner) {
      const rows = await kysely.selectFrom("launchpad_sessions").selectAll().where("owner", "=", owner).execute();
      return rows.map(fromRow);
    },
    removeOwner: (owner) => removed("owner", owner),
    removeProviderSession: (providerSession) => removed("provider_session", providerSession),
    async lease(id, { ttlSeconds }) {
      const holder = randomUUID();
      // One statement: whoever's update finds the lock free has it.
      const result = await kysely
        .updateTable("launchpad_sessions")
        .set({ lease_holder: holder, leased_until: now() + ttlSeconds * 1000 })
        .where("id", "=", id)
        .where("leased_until", "<=", now())
        .executeTakeFirst();
      if (result.numUpdatedRows !== 1n) return undefined;
      return {
        async release() {
          await kysely
            .updateTable("launchpad_sessions")
            .set({ lease_holder: null, leased_until: 0 })
            .where("id", "=", id)
            .where("lease_holder", "=", holder)
            .execute();
        },
      };
    },
    async sweep(at) {
      const result = await kysely.deleteFrom("launchpad_sessions").where("expires_at", "<=", at).executeTakeFirst();
      return Number(result.numDeletedRows);
    },
    ping: ready,
    async close() {
      // The database is closed by whoever opened it.
    },
  };
}

function toRow(session: StoredSession): Omit<Row, "leased_until" | "lease_holder"> {
  return {
    id: session.id,
    owner: session.owner,
    provider_session: session.providerSession ?? null,
    created_at: session.createdAt,
    last_seen_at: session.lastSeenAt,
    expires_at: session.expiresAt,
    generation: session.generation,
    sealed: session.sealed,
  };
}

function fromRow(row: Row): StoredSession {
  return {
    id: row.id,
    owner: row.owner,
    providerSession: row.provider_session ?? undefined,
    createdAt: Number(row.created_at),
    lastSeenAt: Number(row.last_seen_at),
    expiresAt: Number(row.expires_at),
    generation: Number(row.generation),
    sealed: row.sealed,
  };
}
