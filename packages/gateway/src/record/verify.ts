import { type Kysely, sql } from "kysely";
import type { GatewayDatabase } from "../sql/open.ts";
import type { GatewayTables, RecordWritersTable } from "../sql/tables.ts";
import { hashRow } from "./chain.ts";
import { storedRow } from "./queries.ts";
import type { ChainedRow } from "./row.ts";

/** One place where the record is not what was written. */
interface Finding {
  readonly writer: string;
  readonly seq: number;
  /** Of the row, where there is one. */
  readonly id: string | undefined;
  readonly problem: string;
}

/** What a look at every row found; without findings the record is whole. */
export interface Verification {
  readonly writers: number;
  readonly rows: number;
  readonly findings: readonly Finding[];
  /** Writers that died: rows of their last 50 ms may never have been written. */
  readonly lost: readonly { readonly writer: string; readonly lastSeq: number }[];
  /** Kept somewhere else, they prove later that nothing was cut off the end. */
  readonly heads: readonly { readonly writer: string; readonly seq: number; readonly hash: string }[];
}

const pageRows = 1_000;

/** Follows every writer's chain from its base to its head, and names each altered, missing or moved row. */
export async function verifyRecord({ kysely }: GatewayDatabase): Promise<Verification> {
  const writers = await kysely.selectFrom("record_writers").selectAll().orderBy("started_at").execute();
  const findings: Finding[] = await strangers(kysely);
  let rows = 0;
  for (const writer of writers) {
    const chain = await verifyChain(kysely, writer);
    findings.push(...chain.findings);
    rows += chain.rows;
  }
  return {
    writers: writers.length,
    rows,
    findings,
    lost: writers
      .filter(({ ending }) => ending === "lost")
      .map(({ writer_id: writer, head_seq: lastSeq }) => ({ writer, lastSeq })),
    heads: writers.map(({ writer_id: writer, head_seq: seq, head_hash: hash }) => ({ writer, seq, hash })),
  };
}

/**
 * Rows of writers nobody knows, and rows beyond a writer's last one: forged, or the writer's entry was changed. One
 * statement sees rows and writers as of one moment.
 */
async function strangers(kysely: Kysely<GatewayTables>): Promise<Finding[]> {
  const rows = await kysely
    .selectFrom(
      kysely
        .selectFrom("request_logs")
        .select(["id", "writer_id", "writer_seq"])
        .unionAll(kysely.selectFrom("record_misfits").select([sql<string>`null`.as("id"), "writer_id", "writer_seq"]))
        .as("kept"),
    )
    .leftJoin("record_writers", "record_writers.writer_id", "kept.writer_id")
    .select(["kept.id", "kept.writer_id as writer", "kept.writer_seq as seq", "record_writers.head_seq as head"])
    .where((where) =>
      where.or([
        where("record_writers.head_seq", "is", null),
        where("kept.writer_seq", ">", where.ref("record_writers.head_seq")),
      ]),
    )
    .orderBy("writer")
    .orderBy("seq")
    .limit(pageRows)
    .execute();
  return rows.map(({ id, writer, seq, head }) => ({
    writer,
    seq,
    id: id ?? undefined,
    problem: head === null ? "belongs to a writer that is not registered" : `lies beyond the writer's last row ${head}`,
  }));
}

async function verifyChain(kysely: Kysely<GatewayTables>, writer: RecordWritersTable) {
  const findings: Finding[] = [];
  const find = (seq: number, problem: string, id?: string): void =>
    void findings.push({ writer: writer.writer_id, seq, id, problem });
  let seq = writer.base_seq;
  let hash = writer.base_hash;
  let rows = 0;
  for await (const row of rowsOf(kysely, writer)) {
    rows += 1;
    if (row.writer_seq !== seq + 1) find(seq + 1, missing(seq + 1, row.writer_seq - 1));
    else if (row.previous_hash !== hash)
      find(row.writer_seq, "does not follow the row before it: one of the two was replaced or moved", row.id);
    if (hashRow(row, row.writer_id, row.writer_seq, row.previous_hash) !== row.hash) {
      find(row.writer_seq, "was altered or moved: its content does not match its hash", row.id);
    }
    seq = row.writer_seq;
    hash = row.hash;
  }
  if (seq < writer.head_seq) find(seq + 1, missing(seq + 1, writer.head_seq));
  else if (hash !== writer.head_hash) find(seq, "is not the row that was written last");
  return { findings, rows };
}

function missing(first: number, last: number): string {
  return first === last ? `row ${first} is missing` : `rows ${first} to ${last} are missing`;
}

async function* rowsOf(
  kysely: Kysely<GatewayTables>,
  { writer_id: writer, base_seq: base, head_seq: head }: RecordWritersTable,
): AsyncGenerator<ChainedRow> {
  for (let after = base; ; ) {
    const page = await kysely
      .selectFrom("request_logs")
      .selectAll()
      .where("writer_id", "=", writer)
      .where("writer_seq", ">", after)
      // Newer ones may be written meanwhile.
      .where("writer_seq", "<=", head)
      .orderBy("writer_seq")
      .limit(pageRows)
      .execute();
    const last = page.at(-1);
    const upTo = page.length < pageRows ? head : (last?.writer_seq ?? head);
    const misfits = await misfitsOf(kysely, writer, after, upTo);
    yield* [...page.map(storedRow), ...misfits].sort((a, b) => a.writer_seq - b.writer_seq);
    if (last === undefined || page.length < pageRows) return;
    after = last.writer_seq;
  }
}

/** Rows the database would not take as columns are part of the chain all the same. */
async function misfitsOf(
  kysely: Kysely<GatewayTables>,
  writer: string,
  after: number,
  upTo: number,
): Promise<readonly ChainedRow[]> {
  const rows = await kysely
    .selectFrom("record_misfits")
    .select(["writer_seq", "row"])
    .where("writer_id", "=", writer)
    .where("writer_seq", ">", after)
    .where("writer_seq", "<=", upTo)
    .execute();
  return rows.map(({ writer_seq: seq, row }) => misfit(row, writer, seq));
}

/** One that cannot be read, or says another place than it stands at, keeps its place with a hash that fits nothing. */
function misfit(text: string, writer: string, seq: number): ChainedRow {
  const row = { ...readRow(text) } as ChainedRow;
  const inPlace = row.writer_id === writer && row.writer_seq === seq;
  return { ...row, writer_id: writer, writer_seq: seq, hash: inPlace ? row.hash : "" };
}

function readRow(text: string): object | undefined {
  try {
    const row: unknown = JSON.parse(text);
    return typeof row === "object" && row !== null && !Array.isArray(row) ? row : undefined;
  } catch {
    return undefined;
  }
}
