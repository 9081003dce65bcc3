import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { genesis, hashRow, link } from "./chain.ts";
import { createRowOf } from "./draft.ts";
import { type RequestRow, rowColumns } from "./row.ts";
import { abandonedSpools, createSpool } from "./spool.ts";

function row(id: string): RequestRow {
  const draft = {
    id,
    requestTime: "2026-11-22T10:00:00.000Z",
    traceId: "t",
    requestId: id,
    route: "GET /x",
    detail: {},
  };
  return createRowOf()(draft, { status: 200, aborted: false, durationMs: 1 });
}

describe("the chain", () => {
  test("each row is bound to its writer, its number, the row before, and all its columns", () => {
    const chained = link(row("a"), "w", genesis("w"));
    expect(chained).toMatchObject({ writer_seq: 1, previous_hash: genesis("w").hash });
    expect(hashRow(chained, "w", 1, chained.previous_hash)).toBe(chained.hash);
    expect(hashRow(chained, "other", 1, chained.previous_hash)).not.toBe(chained.hash);
    expect(hashRow(chained, "w", 2, chained.previous_hash)).not.toBe(chained.hash);
    for (const column of rowColumns) {
      const altered = { ...chained, [column]: `${chained[column]}x` } as unknown as RequestRow;
      expect(hashRow(altered, "w", 1, chained.previous_hash), column).not.toBe(chained.hash);
    }
  });

  test("every column of a row is part of its hash", () => {
    expect([...rowColumns].sort()).toEqual(Object.keys(row("a")).sort());
  });
});

describe("the spool", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "spool-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const filled = (writer: string, count: number) => {
    const spool = createSpool(folder, writer, "2026-11-22T10:00:00.000Z");
    let head = spool.head();
    for (let index = 1; index <= count; index += 1) {
      const chained = link(row(`${writer}-${index}`), writer, head);
      head = { seq: chained.writer_seq, hash: chained.hash };
      spool.append([chained]);
    }
    return spool;
  };

  test("gives rows back in order, as they were, and forgets what was delivered", () => {
    const spool = filled("w", 5);
    const first = spool.peek();
    expect(first.map(({ id }) => id)).toEqual(["w-1"]);
    expect(hashRow(first[0] as RequestRow, "w", 1, genesis("w").hash)).toBe(first[0]?.hash);
    spool.remove(2);
    expect(spool.waiting()).toBe(3);
    expect(spool.head().seq).toBe(5);
    spool.discard();
    expect(readdirSync(folder)).toEqual([]);
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
    for (const spool of found) spool.discard();
    live.discard();
  });

  test("what is no spool is left where it is", () => {
    expect(abandonedSpools(join(folder, "nowhere"))).toEqual([]);
  });
});
