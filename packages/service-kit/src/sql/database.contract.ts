import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Database, type DatabaseOptions, openDatabase } from "./database.ts";
import type { Migration } from "./migrate.ts";

interface Schema {
  readonly counters: { readonly name: string; value: number; note: string | null };
}

const createCounters: Migration = {
  name: "001_counters",
  up: async (kysely) => {
    await kysely.schema
      .createTable("counters")
      .addColumn("name", "text", (column) => column.primaryKey())
      .addColumn("value", "bigint", (column) => column.notNull())
      .execute();
  },
};
const addNote: Migration = {
  name: "002_note",
  up: async (kysely) => {
    await kysely.schema.alterTable("counters").addColumn("note", "text").execute();
  },
};

/** What every database must do. @param where opens an empty one each time it is called */
export function databaseContract(where: () => Promise<Pick<DatabaseOptions, "url">>): void {
  let folder: string;
  let options: DatabaseOptions;
  const opened: Database<Schema>[] = [];
  const open = async (): Promise<Database<Schema>> => {
    const database = await openDatabase<Schema>(options);
    opened.push(database);
    return database;
  };
  const fresh = async (): Promise<Database<Schema>> => {
    options = { ...(await where()), dataDir: folder, file: `${crypto.randomUUID()}.sqlite` };
    return open();
  };
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "onbehalf-sql-"));
  });
  afterAll(async () => {
    await Promise.all(opened.map((database) => database.close()));
    rmSync(folder, { recursive: true });
  });

  describe("migrations", () => {
    test("run once, in order, and only what is due", async () => {
      const database = await fresh();
      expect(await database.migrate("a", [createCounters])).toEqual(["001_counters"]);
      expect(await database.migrate("a", [createCounters, addNote])).toEqual(["002_note"]);
      expect(await database.migrate("a", [createCounters, addNote])).toEqual([]);
      await database.kysely.insertInto("counters").values({ name: "x", value: 1, note: "n" }).execute();
    });

    test("of several services in one database do not know each other", async () => {
      const database = await fresh();
      await database.migrate("a", [createCounters]);
      const other: Migration = { ...addNote, name: createCounters.name };
      expect(await database.migrate("b", [other])).toEqual([createCounters.name]);
    });

    test("run once when replicas start together", async () => {
      await fresh();
      const replicas = await Promise.all(Array.from({ length: 4 }, open));
      const ran = await Promise.all(replicas.map((replica) => replica.migrate("a", [createCounters, addNote])));
      expect(ran.flat()).toEqual(["001_counters", "002_note"]);
    });

    test("that fail leave nothing behind", async () => {
      const database = await fresh();
      const failing: Migration = { name: "002_bad", up: () => Promise.reject(new Error("no")) };
      await expect(database.migrate("a", [createCounters, failing])).rejects.toThrow("no");
      expect(await database.migrate("a", [createCounters])).toEqual(["001_counters"]);
    });

    test("of a newer replica are left alone", async () => {
      const database = await fresh();
      await database.migrate("a", [createCounters, addNote]);
      expect(await database.migrate("a", [createCounters])).toEqual([]);
    });

    test("of one name are a mistake", async () => {
      const database = await fresh();
      await expect(database.migrate("a", [addNote, addNote])).rejects.toThrow(TypeError);
    });
  });

  describe("queries", () => {
    test("give numbers for counts and sums, and tell how many rows changed", async () => {
      const database = await fresh();
      await database.migrate("a", [createCounters, addNote]);
      const rows = [1, 2, 3].map((value) => ({ name: `n${value}`, value: value * 1_000_000_000_000, note: null }));
      await database.kysely.insertInto("counters").values(rows).execute();
      const totals = await database.kysely
        .selectFrom("counters")
        .select(({ fn }) => [fn.countAll().as("count"), fn.sum("value").as("sum")])
        .executeTakeFirstOrThrow();
      expect(totals).toEqual({ count: 3, sum: 6_000_000_000_000 });
      const updated = await database.kysely.updateTable("counters").set({ note: "seen" }).executeTakeFirst();
      expect(Number(updated.numUpdatedRows)).toBe(3);
      const returned = await database.kysely.deleteFrom("counters").where("name", "=", "n2").returningAll().execute();
      expect(returned).toEqual([{ name: "n2", value: 2_000_000_000_000, note: "seen" }]);
    });

    test("take values as values, never as text of the query", async () => {
      const database = await fresh();
      await database.migrate("a", [createCounters, addNote]);
      const name = `x'; drop table counters; --"`;
      await database.kysely.insertInto("counters").values({ name, value: 1, note: null }).execute();
      expect(await database.kysely.selectFrom("counters").select("name").execute()).toEqual([{ name }]);
    });

    test("of one transaction are not mixed with others, and a failed one is undone", async () => {
      const database = await fresh();
      await database.migrate("a", [createCounters, addNote]);
      const { kysely } = database;
      await kysely.insertInto("counters").values({ name: "x", value: 0, note: null }).execute();
      const add = (fail: boolean) =>
        kysely.transaction().execute(async (transaction) => {
          const query = transaction.selectFrom("counters").select("value");
          const row = await (database.dialect === "postgres" ? query.forUpdate() : query).executeTakeFirstOrThrow();
          await new Promise((resolve) => setTimeout(resolve, 5));
          await transaction
            .updateTable("counters")
            .set({ value: row.value + 1 })
            .execute();
          if (fail) throw new Error("undo");
        });
      const results = await Promise.allSettled([add(false), add(true), add(false), add(false), add(true)]);
      expect(results.filter(({ status }) => status === "rejected")).toHaveLength(2);
      expect(await kysely.selectFrom("counters").select("value").execute()).toEqual([{ value: 3 }]);
    });

    test("work beside another process's connection to the same database", async () => {
      const first = await fresh();
      await first.migrate("a", [createCounters, addNote]);
      const second = await open();
      const insert = (database: Database<Schema>, name: string) =>
        database.kysely.insertInto("counters").values({ name, value: 1, note: null }).execute();
      const names = Array.from({ length: 40 }, (_, index) => `n${index}`);
      await Promise.all(names.map((name, index) => insert(index % 2 === 0 ? first : second, name)));
      const [row] = await first.kysely
        .selectFrom("counters")
        .select(({ fn }) => fn.countAll<number>().as("count"))
        .execute();
      expect(row?.count).toBe(40);
    });
  });

  test("readiness passes, and closing twice is fine", async () => {
    const database = await fresh();
    await database.ready();
    await database.close();
    await database.close();
    await expect(sql`select 1`.execute(database.kysely)).rejects.toThrow();
  });
}
