import { mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openGatewayDatabase } from "../sql/open.ts";
import { createRowOf } from "./draft.ts";
import { createRecorder } from "./recorder.ts";
import { verifyRecord } from "./verify.ts";

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "recorder-"));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(dataDir, { recursive: true, force: true });
});

const log = { info: vi.fn(), warn: vi.fn(), error: vi.fn() };
const rowOf = createRowOf();

function row(id: string) {
  const draft = { id, requestTime: new Date().toISOString(), traceId: "t", requestId: id, route: "GET /x", detail: {} };
  return rowOf(draft, { status: 200, aborted: false, durationMs: 1 });
}

async function stored(): Promise<{ ids: string[]; findings: readonly unknown[]; lost: number }> {
  const database = await openGatewayDatabase({ url: undefined, dataDir });
  try {
    const rows = await database.kysely.selectFrom("request_logs").select("id").orderBy("id").execute();
    const { findings, lost } = await verifyRecord(database);
    return { ids: rows.map(({ id }) => id), findings, lost: lost.length };
  } finally {
    await database.close();
  }
}

function open() {
  return createRecorder({ dataDir, database: { url: undefined, dataDir }, maxSpoolBytes: 1e9, log });
}

test("rows are delivered in batches, and nothing stays behind", async () => {
  const recorder = open();
  const ids = Array.from({ length: 1_000 }, (_, index) => String(index).padStart(4, "0"));
  for (const id of ids) recorder.record(row(id));
  expect(await recorder.flush(10_000)).toBe(true);
  expect(recorder.state()).toMatchObject({ waiting: 0, full: false, error: undefined });
  await recorder.close(10_000);
  expect(await stored()).toEqual({ ids, findings: [], lost: 0 });
  expect(readdirSync(join(dataDir, "spool"))).toEqual([]);
});

test("a writer thread that dies is replaced, and no row is lost or written twice", async () => {
  const post = vi.spyOn(Worker.prototype, "postMessage");
  const recorder = open();
  recorder.record(row("before"));
  await recorder.flush(10_000);
  const worker = post.mock.contexts[0] as Worker;
  worker.postMessage({ kind: "rows", batch: 999_999, rows: "no rows at all" });
  recorder.record(row("during"));
  await vi.waitFor(
    () => expect(log.error).toHaveBeenCalledWith(expect.anything(), "record: the writer thread failed"),
    10_000,
  );
  recorder.record(row("after"));
  await vi.waitFor(async () => expect(await recorder.flush(5_000)).toBe(true), { timeout: 15_000 });
  await recorder.close(10_000);
  // The first chain broke off, and says so; the second holds what it had not taken.
  expect(await stored()).toEqual({ ids: ["after", "before", "during"], findings: [], lost: 1 });
});

test("rows of a long outage, more than memory takes, wait on disk and are delivered in order", async () => {
  const recorder = open();
  recorder.record(row("first"));
  expect(await recorder.flush(10_000)).toBe(true);
  const busy = new DatabaseSync(join(dataDir, "gateway.sqlite"));
  busy.exec("begin immediate");
  const ids = Array.from({ length: 40_000 }, (_, index) => String(index).padStart(5, "0"));
  for (const id of ids) recorder.record(row(id));
  const files = () => readdirSync(join(dataDir, "spool")).filter((name) => name.endsWith(".rows"));
  await vi.waitFor(() => expect(files().length).toBeGreaterThan(4), { timeout: 10_000 });
  await vi.waitFor(() => expect(recorder.state()).toMatchObject({ waiting: 40_000, full: false }), 10_000);
  expect(await recorder.flush(100)).toBe(false);
  busy.exec("rollback");
  busy.close();
  expect(await recorder.flush(30_000)).toBe(true);
  expect(recorder.state()).toMatchObject({ waiting: 0, full: false, error: undefined });
  expect(files()).toEqual([]);
  await recorder.close(10_000);
  expect(await stored()).toEqual({ ids: [...ids, "first"], findings: [], lost: 0 });
});

test("a batch that holds no rows ends the writer, and the rows after it are recorded by the next", async () => {
  const post = vi.spyOn(Worker.prototype, "postMessage");
  const recorder = open();
  recorder.record(row("a"));
  await recorder.flush(10_000);
  const worker = post.mock.contexts[0] as Worker;
  worker.postMessage({ kind: "rows", batch: 999_999, rows: `${row("b").fields}\n{"no": "row"}` });
  await vi.waitFor(
    () => expect(log.error).toHaveBeenCalledWith(expect.anything(), "record: the writer thread failed"),
    10_000,
  );
  recorder.record(row("c"));
  await vi.waitFor(async () => expect(await recorder.flush(5_000)).toBe(true), { timeout: 15_000 });
  await recorder.close(10_000);
  // Of such a batch nothing was taken.
  expect(await stored()).toEqual({ ids: ["a", "c"], findings: [], lost: 1 });
});

/** Nothing can be put into the spool from now on: what was a folder is a file. */
function breakSpool(): void {
  rmSync(join(dataDir, "spool"), { recursive: true });
  writeFileSync(join(dataDir, "spool"), "");
}

test("a disk that takes no rows: no more requests while it does so, and all is written when it does again", async () => {
  const recorder = open();
  recorder.record(row("before"));
  await recorder.flush(10_000);
  breakSpool();
  recorder.record(row("during"));
  await vi.waitFor(
    () => expect(recorder.state()).toMatchObject({ full: true, error: expect.stringMatching(/spool/) }),
    {
      timeout: 15_000,
    },
  );
  rmSync(join(dataDir, "spool"));
  await vi.waitFor(() => expect(recorder.state()).toMatchObject({ full: false, error: undefined }), {
    timeout: 15_000,
  });
  recorder.record(row("after"));
  await vi.waitFor(async () => expect(await recorder.flush(5_000)).toBe(true), { timeout: 15_000 });
  await recorder.close(10_000);
  expect((await stored()).ids).toEqual(["after", "before", "during"]);
});

test("rows that no disk took until the end are lost, and that is said", async () => {
  log.error.mockClear();
  const recorder = open();
  recorder.record(row("before"));
  await recorder.flush(10_000);
  breakSpool();
  recorder.record(row("lost"));
  await vi.waitFor(() => expect(recorder.state().full).toBe(true), { timeout: 15_000 });
  await recorder.close(5_000);
  expect(log.error).toHaveBeenLastCalledWith({ rows: 1 }, "record: the disk takes no rows; those in memory are lost");
});

test("a disk that takes no rows for long does not fill the memory with those of refused requests", async () => {
  log.error.mockClear();
  const recorder = open();
  await recorder.flush(10_000);
  breakSpool();
  const one = row("refused");
  for (let count = 0; count < 120_000; count += 1) recorder.record(one);
  expect(recorder.state()).toMatchObject({ waiting: 100_000, full: true });
  rmSync(join(dataDir, "spool"));
  const said = "record: rows of refused requests were left out";
  await vi.waitFor(() => expect(log.error).toHaveBeenCalledWith({ rows: 20_000 }, said), { timeout: 30_000 });
  await recorder.close(10_000);
});

test("rows do not go into a database file that was replaced under the gateway's hands; the next start delivers them", async () => {
  const first = open();
  first.record(row("a"));
  expect(await first.flush(10_000)).toBe(true);
  renameSync(join(dataDir, "gateway.sqlite"), join(dataDir, "taken-away.sqlite"));
  first.record(row("b"));
  expect(await first.flush(10_000)).toBe(false);
  expect(first.state().error).toMatch(/gateway.sqlite was deleted or replaced/);
  await first.close(1_000);
  const second = open();
  await vi.waitFor(async () => expect(await second.flush(5_000)).toBe(true), { timeout: 15_000 });
  await second.close(10_000);
  const { ids, findings } = await stored();
  expect(ids).toEqual(["b"]);
  expect(findings).toMatchObject([{ seq: 1, problem: "row 1 is missing" }]);
});
