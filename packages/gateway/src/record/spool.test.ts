import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { chainedRow, genesis, hashRow, type Link, link } from "./chain.ts";
import { createRowOf } from "./draft.ts";
import { abandonedSpools, createSpool, type Spool } from "./spool.ts";

const time = "2026-11-22T10:00:00.000Z";

function fields(id: string): string {
  const draft = { id, requestTime: time, traceId: "t", requestId: id, route: "GET /x", detail: {} };
  return createRowOf()(draft, { status: 200, aborted: false, durationMs: 1 }).fields;
}

describe("the spool", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "spool-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test("is for this user alone to read: rows say who asked for what", () => {
    createSpool(join(folder, "spool"), "w", time).close("clean");
    expect(statSync(join(folder, "spool")).mode & 0o777).toBe(0o700);
  });

  const append = (spool: Spool, count: number): void => {
    const rows: Link[] = [];
    for (let index = 1; index <= count; index += 1) {
      const head = rows.at(-1) ?? spool.head();
      rows.push(link(fields(`${spool.writerId}-${head.seq + 1}`), spool.writerId, head));
    }
    spool.append(rows);
  };
  const filled = (writer: string, count: number): Spool => {
    const spool = createSpool(folder, writer, time);
    for (let index = 1; index <= count; index += 1) append(spool, 1);
    return spool;
  };
  const filesOf = (writer: string): string[] =>
    readdirSync(folder)
      .filter((name) => name.startsWith(`${writer}.`) && name.endsWith(".rows"))
      .sort()
      .map((name) => join(folder, name));
  const ids = (rows: readonly Link[]) => rows.map((row) => chainedRow(row).id);
  /** All that is left in it, file by file. */
  const drained = (spool: Spool): Link[][] => {
    const parts: Link[][] = [];
    for (let rows = spool.oldest(); rows.length > 0; rows = spool.oldest()) {
      parts.push([...rows]);
      spool.forget();
    }
    return parts;
  };

  test("gives rows back in order, as they were, and forgets what was delivered", () => {
    const spool = filled("w", 3);
    const first = spool.oldest();
    append(spool, 2);
    expect(ids(first)).toEqual(["w-1", "w-2", "w-3"]);
    expect(spool.oldest()).toBe(first);
    const [row] = first.map(chainedRow);
    expect(row === undefined ? undefined : hashRow(row, "w", 1, genesis("w").hash)).toBe(first[0]?.hash);
    spool.forget();
    expect(spool.waiting()).toBe(2);
    expect(ids(spool.oldest())).toEqual(["w-4", "w-5"]);
    spool.forget();
    expect([spool.waiting(), spool.bytes(), spool.oldest()]).toEqual([0, 0, []]);
    expect(spool.head().seq).toBe(5);
    expect(filesOf("w")).toEqual([]);
    spool.discard();
    expect(readdirSync(folder)).toEqual([]);
  });

  test("a row is in its file as soon as it was appended, and nobody else may read it", () => {
    const spool = filled("w", 1);
    const [file = ""] = filesOf("w");
    expect(readFileSync(file, "utf8")).toMatch(/^\["w",1,"[0-9a-f]{64}",\["w-1",.*\]\] [0-9a-f]{64}\n$/);
    expect(statSync(file).mode & 0o077).toBe(0);
    spool.discard();
  });

  test("a writer that lives is left alone; a dead one's rows are found, and whether it ended in order", () => {
    const live = filled("live", 1);
    filled("clean", 2).close("clean");
    filled("dead", 3).close("keep");
    const found = abandonedSpools(folder);
    expect(
      found.map(({ writerId, isClean, waiting, head }) => [writerId, isClean(), waiting(), head().seq]).sort(),
    ).toEqual([
      ["clean", true, 2, 2],
      ["dead", false, 3, 3],
    ]);
    expect(found.map((spool) => ids(drained(spool).flat()))).toEqual([
      ["clean-1", "clean-2"],
      ["dead-1", "dead-2", "dead-3"],
    ]);
    for (const spool of found) spool.discard();
    live.discard();
    expect(readdirSync(folder)).toEqual([]);
  });

  test("what was delivered before a writer died is not delivered again, also when its file is still there", () => {
    const spool = filled("w", 2);
    const [file = ""] = filesOf("w");
    const lines = readFileSync(file);
    spool.oldest();
    spool.forget();
    append(spool, 1);
    appendFileSync(file, lines);
    spool.close("keep");
    const [found] = abandonedSpools(folder);
    expect(found?.waiting()).toBe(1);
    expect(found === undefined ? [] : drained(found).map(ids)).toEqual([["w-3"]]);
    found?.discard();
    expect(readdirSync(folder)).toEqual([]);
  });

  test.each([
    ["in its middle", -300, 2],
    ["in its hash", -10, 2],
    ["at its line's end only", -1, 3],
    ["as a whole", -1e9, 0],
  ])("a last line torn %s: the rows before it are found, and nothing of it", (_, bytes, whole) => {
    filled("w", 3).close("keep");
    const [file = ""] = filesOf("w");
    truncateSync(file, Math.max(0, statSync(file).size + bytes));
    const [spool] = abandonedSpools(folder);
    expect(spool?.head().seq).toBe(whole);
    expect(spool === undefined ? [] : ids(drained(spool).flat())).toEqual(["w-1", "w-2", "w-3"].slice(0, whole));
    expect(spool?.waiting()).toBe(0);
    spool?.discard();
  });

  test("a line that was altered, or is another writer's, is no row", () => {
    filled("w", 2).close("keep");
    filled("other", 1).close("keep");
    const [file = ""] = filesOf("w");
    const altered = readFileSync(file, "utf8").split("\n")[0]?.replace("GET /x", "GET /y");
    appendFileSync(file, `${altered}\n${readFileSync(filesOf("other")[0] ?? "", "utf8")}`);
    const found = abandonedSpools(folder);
    expect(found.map((spool) => ids(drained(spool).flat()))).toEqual([["other-1"], ["w-1", "w-2"]]);
    for (const spool of found) spool.discard();
  });

  test("more than memory takes is in files of bounded size, and comes back from there in order", () => {
    const spool = createSpool(folder, "w", time);
    const count = 40_000;
    for (let done = 0; done < count; done += 1_000) append(spool, 1_000);
    expect(spool.waiting()).toBe(count);
    const sizes = filesOf("w").map((file) => statSync(file).size);
    expect(sizes.length).toBeGreaterThan(3);
    expect(Math.max(...sizes)).toBeLessThan(5_000_000);
    expect(spool.bytes()).toBe(sizes.reduce((sum, size) => sum + size, 0));
    const parts = drained(spool);
    expect(parts).toHaveLength(sizes.length);
    expect(parts.flat().map(({ seq }) => seq)).toEqual(Array.from({ length: count }, (_, index) => index + 1));
    expect(parts.flat().at(-1)?.hash).toBe(spool.head().hash);
    expect([spool.waiting(), spool.bytes(), filesOf("w")]).toEqual([0, 0, []]);
    spool.discard();
  });

  test("a disk that does not take it keeps nothing of it: a full one is tried every second", () => {
    const { exec } = DatabaseSync.prototype;
    const full = vi.spyOn(DatabaseSync.prototype, "exec").mockImplementation(function (this: DatabaseSync, sql) {
      if (sql.includes("CREATE TABLE")) throw new Error("database or disk is full");
      exec.call(this, sql);
    });
    expect(() => createSpool(folder, "w", time)).toThrow("full");
    full.mockRestore();
    expect(readdirSync(folder)).toEqual([]);
    filled("w", 1).close("keep");
    expect(() => createSpool(folder, "w", time)).toThrow("already");
    expect(filesOf("w")).toHaveLength(1);
    expect(abandonedSpools(folder)).toHaveLength(1);
  });

  test("what is no spool is left where it is", () => {
    expect(abandonedSpools(join(folder, "nowhere"))).toEqual([]);
    appendFileSync(join(folder, "notes.txt"), "");
    expect(abandonedSpools(folder)).toEqual([]);
    expect(readdirSync(folder)).toEqual(["notes.txt"]);
  });
});
