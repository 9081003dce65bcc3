import { randomBytes } from "node:crypto";
import { z } from "zod";
import type { LaunchpadDatabase } from "../schema.ts";
import { digest, type Seal } from "../session/seal.ts";

/** A key that was just made. */
export interface NewKey {
  readonly appId: string;
  readonly name: string;
  readonly key: string;
}

/**
 * Carries a new key from the form that made it to the page that shows it, so that loading the page again makes no
 * second key. It lies in the database, which all replicas share, sealed, for two minutes at most.
 */
export interface Handover {
  /** Answers an id that cannot be guessed, and is worth nothing in another session. */
  leave(sessionId: string, made: NewKey): Promise<string>;
  /** The key, once: whoever comes later, or from another session, gets undefined. */
  take(sessionId: string, id: string): Promise<NewKey | undefined>;
}

export const handoverSeconds = 120;
/** 256 bits. */
const idBytes = 32;

const newKeyShape = z.object({ appId: z.string(), name: z.string(), key: z.string() });

/** @param now milliseconds since the epoch */
export function createHandover(database: LaunchpadDatabase, seal: Seal, now: () => number = Date.now): Handover {
  const { kysely } = database;
  const seconds = (): number => Math.floor(now() / 1000);

  return {
    async leave(sessionId, made) {
      const id = randomBytes(idBytes).toString("base64url");
      const at = digest(sessionId, id);
      const row = { id: at, sealed: await seal.seal(made, at), expires_at: seconds() + handoverSeconds };
      await kysely.insertInto("launchpad_handovers").values(row).execute();
      return id;
    },
    async take(sessionId, id) {
      const at = digest(sessionId, id);
      // One statement reads and removes: of two replicas asked at once, one gets it.
      const row = await kysely
        .deleteFrom("launchpad_handovers")
        .where("id", "=", at)
        .returning(["sealed", "expires_at"])
        .executeTakeFirst();
      if (row === undefined || Number(row.expires_at) <= seconds()) return undefined;
      const opened = newKeyShape.safeParse(await seal.open(row.sealed, at));
      return opened.success ? opened.data : undefined;
    },
  };
}

/** Removes the keys that nobody came for; how many. @param now seconds since the epoch */
export async function sweepHandovers({ kysely }: LaunchpadDatabase, now: number): Promise<number> {
  const ended = kysely.deleteFrom("launchpad_handovers").where("expires_at", "<=", now);
  return Number((await ended.executeTakeFirst()).numDeletedRows);
}
