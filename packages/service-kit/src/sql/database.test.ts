import { mkdtempSync, rmSync, statSync } from "node:fs";
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
