import { createHmac, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "@onbehalf/service-kit";
import type { Environment } from "../config/environment.ts";
import type { GatewayDatabase } from "../sql/open.ts";

const settingName = "key_pepper";
const checkName = "key_pepper_check";
const fileName = "gateway-key-pepper";

/** What the environment says, else what whoever started the gateway left in its data folder for the command line. */
export function configuredPepper(environment: Environment): string | undefined {
  const { LITELLM_SALT_KEY: salt, ENCRYPTION_SECRET: secret, ONBEHALF_DATA_DIR: dataDir } = environment;
  return salt ?? secret ?? leftIn(dataDir);
}

function leftIn(dataDir: string): string | undefined {
  try {
    return readFileSync(join(dataDir, fileName), "utf8").trim() || undefined;
  } catch {
    return undefined; // there is none, or it is not for this user to read: the check below says when it is missed
  }
}

/**
 * Keeps what tells one pepper from another, and does not help to find it: it is random.
 * @returns false when the gateway before this one, or beside it, had another: no key that it made is known here
 */
export async function notePepper({ kysely }: GatewayDatabase, pepper: string): Promise<boolean> {
  const value = checkOf(pepper);
  const noted = await notedCheck({ kysely });
  await kysely
    .insertInto("gateway_settings")
    .values({ name: checkName, value })
    .onConflict((conflict) => conflict.column("name").doUpdateSet({ value }))
    .execute();
  return noted === undefined || noted === value;
}

async function notedCheck({ kysely }: Pick<GatewayDatabase, "kysely">): Promise<string | undefined> {
  const noted = kysely.selectFrom("gateway_settings").select("value").where("name", "=", checkName);
  return (await noted.executeTakeFirst())?.value;
}

/**
 * A key that is hashed under another pepper than the gateway's would be handed out and never work.
 * @throws ConfigError
 */
export async function requireNotedPepper({ kysely }: GatewayDatabase, pepper: string): Promise<void> {
  const noted = await notedCheck({ kysely });
  if (noted === undefined || noted === checkOf(pepper)) return;
  const problem =
    "is not what the gateway on this database was started with: its keys would not be found, and new ones would not work. Set it (or ENCRYPTION_SECRET) as the gateway has it";
  throw new ConfigError([{ name: "LITELLM_SALT_KEY", problem }]);
}

function checkOf(pepper: string): string {
  return createHmac("sha256", pepper).update("which pepper this is").digest("hex");
}

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
