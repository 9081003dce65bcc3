import { randomBytes } from "node:crypto";
import type { GatewayDatabase } from "../sql/open.ts";

const settingName = "key_pepper";

/**
 * The pepper of the key hashes: the configured one, else one made once and kept in the database, where every replica
 * finds it. The latter is weaker: whoever has the table has the pepper too.
 */
export function createPepper(
  configured: string | undefined,
  { kysely }: GatewayDatabase,
  migrated: () => Promise<void>,
): () => Promise<string> {
  if (configured !== undefined) return async () => configured;
  let known: Promise<string> | undefined;
  const read = async (): Promise<string> => {
    await migrated();
    const made = { name: settingName, value: randomBytes(32).toString("base64url") };
    await kysely
      .insertInto("gateway_settings")
      .values(made)
      .onConflict((conflict) => conflict.column("name").doNothing())
      .execute();
    const row = await kysely
      .selectFrom("gateway_settings")
      .select("value")
      .where("name", "=", settingName)
      .executeTakeFirstOrThrow();
    return row.value;
  };
  return () => {
    known ??= read().catch((error: unknown) => {
      known = undefined;
      throw error;
    });
    return known;
  };
}
