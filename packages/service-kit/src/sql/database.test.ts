import { mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { databaseContract } from "./database.contract.ts";
import { openDatabase } from "./database.ts";
import { openSqlite } from "./sqlite-file.ts";

describe("SQLite", () => {
  databaseContract(async () => ({}));

  test("keeps its files, and their folder, for its owner alone", async () => {
    const parent = mkdtempSync(join(tmpdir(), "onbehalf-mode-"));
    const database = await openDatabase({ dataDir: join(parent, "data"), file: "a.sqlite" });
    await database.ready();
    expect(database).toMatchObject({ dialect: "sqlite", path: join(parent, "data", "a.sqlite") });
    expect(statSync(join(parent, "data")).mode & 0o777).toBe(0o700);
    const second = openSqlite(join(parent, "data", "a.sqlite"));
    for (const end of ["", "-wal", "-shm"]) {
      expect(statSync(join(parent, "data", `a.sqlite${end}`)).mode & 0o777, end).toBe(0o600);
    }
    expect(second.prepare("pragma journal_mode").get()).toEqual({ journal_mode: "wal" });
    expect(second.prepare("pragma busy_timeout").get()).toEqual({ timeout: 5_000 });
    second.close();
    await database.close();
    rmSync(parent, { recursive: true });
  });

  test.runIf(process.platform === "linux")(
    "keeps its locks when it is opened again, or a stranger that looks into it takes it for unused and tidies it away",
    () => {
      // SQLite 3.40 then deletes the log of what is not in the file yet; what is written from there on nobody else sees.
      const held = () =>
        readFileSync("/proc/locks", "utf8")
          .split("\n")
          .filter((line) => isOurs.test(line)).length;
      const isOurs = new RegExp(`POSIX .* ${process.pid} `);
      const folder = mkdtempSync(join(tmpdir(), "onbehalf-locks-"));
      const path = join(folder, "a.sqlite");
      const before = held();
      const first = openSqlite(path);
      first.exec("create table a (n)");
      const locked = held();
      expect(locked).toBeGreaterThan(before);
      const second = openSqlite(path);
      expect(held()).toBeGreaterThanOrEqual(locked);
      second.close();
      first.close();
      rmSync(folder, { recursive: true });
    },
  );

  test("that another writes to for long: who reads does not wait for who wants to write, and he is told", async () => {
    const folder = mkdtempSync(join(tmpdir(), "onbehalf-busy-"));
    const database = await openDatabase<{ readonly a: { readonly n: number } }>({ dataDir: folder, file: "a.sqlite" });
    const { kysely } = database;
    await kysely.schema.createTable("a").addColumn("n", "integer").execute();
    const other = openSqlite(join(folder, "a.sqlite"));
    other.exec("begin immediate");
    let written = false;
    const insert = kysely.insertInto("a").values({ n: 1 });
    const writes = [insert.execute(), kysely.transaction().execute(async (one) => one.executeQuery(insert))].map(
      (write) => write.catch((error: unknown) => error).finally(() => (written = true)),
    );
    for (let round = 0; round < 20; round += 1) {
      expect(await kysely.selectFrom("a").selectAll().execute()).toEqual([]);
      await database.ready();
    }
    expect(written).toBe(false);
    expect(await Promise.all(writes)).toMatchObject([{ error: "store_unavailable" }, { error: "store_unavailable" }]);
    other.exec("rollback");
    await insert.execute();
    expect(await kysely.selectFrom("a").selectAll().execute()).toEqual([{ n: 1 }]);
    other.close();
    await database.close();
    rmSync(folder, { recursive: true });
  });

  test("whose file is deleted or replaced is not ready: what is written now, nobody will find", async () => {
    const folder = mkdtempSync(join(tmpdir(), "onbehalf-replaced-"));
    const path = join(folder, "a.sqlite");
    const database = await openDatabase({ dataDir: folder, file: "a.sqlite" });
    await database.ready();
    renameSync(path, `${path}.old`);
    await expect(database.ready()).rejects.toThrow("a.sqlite was deleted or replaced");
    writeFileSync(path, "");
    await expect(database.ready()).rejects.toThrow("a.sqlite was deleted or replaced");
    renameSync(`${path}.old`, path);
    await database.ready();
    await database.close();
    rmSync(folder, { recursive: true });
  });
});

test("a Postgres that is away is told as such, when it is first used and not before", async () => {
  const database = await openDatabase({
    url: "postgresql://u:canary@127.0.0.1:1/x",
    dataDir: "unused",
    file: "unused",
  });
  const failure: unknown = await database.ready().catch((error: unknown) => error);
  expect(failure).toMatchObject({
    status: 503,
    error: "store_unavailable",
    message: expect.stringContaining("database"),
  });
  expect(JSON.stringify(failure)).not.toContain("canary");
  await database.close();
});
