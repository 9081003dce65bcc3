import type { ExpressionBuilder, Kysely } from "kysely";
import type { GatewayDatabase } from "../sql/open.ts";
import type { GatewayTables } from "../sql/tables.ts";
import { keyFromRow, rowFromKey, type VirtualKey } from "./virtual-key.ts";

/** Which keys a caller may see and change. */
export type KeyOwner = "anyone" | { readonly issuer: string; readonly subject: string } | { readonly teamId: string };

/** Which keys; all that is given must hold. */
export interface KeyFilter {
  /** Required, so that no list forgets whose keys they are. */
  readonly owner: KeyOwner;
  readonly userId?: string | undefined;
  readonly teamId?: string | undefined;
  readonly alias?: string | undefined;
  readonly limit: number;
  readonly offset: number;
}

/** Virtual keys in the database. Every method rejects with StoreUnavailable while it is out of reach. */
export interface KeyStore {
  byHash(keyHash: string): Promise<VirtualKey | undefined>;
  byId(id: string): Promise<VirtualKey | undefined>;
  byAlias(alias: string): Promise<VirtualKey | undefined>;
  insert(key: VirtualKey, keyHash: string): Promise<void>;
  /** Replaces everything but the id and the hash. @returns false when the key is no longer as it was `seen` */
  update(seen: VirtualKey, changed: VirtualKey): Promise<boolean>;
  /** Whatever else is being changed. @returns false when there is no such key any more */
  setBlocked(id: string, blocked: boolean, updatedAt: string): Promise<boolean>;
  /** Changes one key and adds another, both or neither. @returns false when the key is no longer as it was `seen` */
  replace(seen: VirtualKey, changed: VirtualKey, added: VirtualKey, keyHash: string): Promise<boolean>;
  delete(id: string): Promise<boolean>;
  list(filter: KeyFilter): Promise<{ readonly keys: readonly VirtualKey[]; readonly total: number }>;
  /** Rejects while keys cannot be looked up: for readiness. */
  ready(): Promise<void>;
}

/**
 * Keys in the database, by hash only. Rejects with StoreUnavailable while it is out of reach.
 * @param migrated resolves when the tables are there; awaited by every operation
 */
export function createKeyStore({ kysely }: GatewayDatabase, migrated: () => Promise<void>): KeyStore {
  const one = async (column: "key_hash" | "id" | "alias", value: string): Promise<VirtualKey | undefined> => {
    await migrated();
    const row = await kysely.selectFrom("virtual_keys").selectAll().where(column, "=", value).executeTakeFirst();
    return row === undefined ? undefined : keyFromRow(row);
  };
  return {
    byHash: (keyHash) => one("key_hash", keyHash),
    byId: (id) => one("id", id),
    byAlias: (alias) => one("alias", alias),
    async insert(key, keyHash) {
      await migrated();
      await kysely.insertInto("virtual_keys").values(rowFromKey(key, keyHash)).execute();
    },
    async update(seen, changed) {
      await migrated();
      return write(kysely, seen, changed);
    },
    async setBlocked(id, blocked, updatedAt) {
      await migrated();
      const set = { blocked: blocked ? 1 : 0, updated_at: updatedAt };
      const result = await kysely.updateTable("virtual_keys").set(set).where("id", "=", id).executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
    async replace(seen, changed, added, keyHash) {
      await migrated();
      return kysely.transaction().execute(async (transaction) => {
        if (!(await write(transaction, seen, changed))) return false;
        await transaction.insertInto("virtual_keys").values(rowFromKey(added, keyHash)).execute();
        return true;
      });
    },
    async delete(id) {
      await migrated();
      const result = await kysely.deleteFrom("virtual_keys").where("id", "=", id).executeTakeFirst();
      return result.numDeletedRows > 0n;
    },
    async list(filter) {
      await migrated();
      const query = kysely.selectFrom("virtual_keys").where((builder) => builder.and(conditions(builder, filter)));
      const [rows, count] = await Promise.all([
        query
          .selectAll()
          .orderBy("created_at", "desc")
          .orderBy("id")
          .limit(filter.limit)
          .offset(filter.offset)
          .execute(),
        query.select((builder) => builder.fn.countAll<number>().as("total")).executeTakeFirstOrThrow(),
      ]);
      return { keys: rows.map(keyFromRow), total: Number(count.total) };
    },
    async ready() {
      await one("id", "");
    },
  };
}

/**
 * Only over the state that was read: what another replica did meanwhile, a block above all, must not be undone by
 * somebody who never saw it. A block is asked for by itself, since it may fall into the same millisecond.
 */
async function write(kysely: Kysely<GatewayTables>, seen: VirtualKey, changed: VirtualKey): Promise<boolean> {
  const { id, key_hash: _, ...columns } = rowFromKey(changed, "");
  const result = await kysely
    .updateTable("virtual_keys")
    .set(columns)
    .where("id", "=", id)
    .where("updated_at", "=", seen.updatedAt)
    .where("blocked", "=", seen.blocked ? 1 : 0)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

function conditions(builder: ExpressionBuilder<GatewayTables, "virtual_keys">, filter: KeyFilter) {
  const { owner } = filter;
  const wanted = [];
  if (owner !== "anyone" && "teamId" in owner) wanted.push(builder("team_id", "=", owner.teamId));
  if (owner !== "anyone" && "issuer" in owner) {
    wanted.push(builder("issuer", "=", owner.issuer), builder("subject", "=", owner.subject));
  }
  if (filter.userId !== undefined) wanted.push(builder("user_id", "=", filter.userId));
  if (filter.teamId !== undefined) wanted.push(builder("team_id", "=", filter.teamId));
  if (filter.alias !== undefined) wanted.push(builder("alias", "=", filter.alias));
  return wanted;
}
