import { hash } from "node:crypto";
import { type ChainedRow, type RequestRow, rowColumns } from "./row.ts";

/** Where a writer's chain stands: the number and hash of its newest row. */
export interface ChainHead {
  readonly seq: number;
  readonly hash: string;
}

/** A row in its chain, as it lies on disk. */
export interface Link extends ChainHead {
  /** What the hash is over: `[writer, number, hash before, [fields]]` as JSON. */
  readonly text: string;
}

/** The first row of a writer follows this; it binds the chain to the writer's own name. */
export function genesis(writerId: string): ChainHead {
  return { seq: 0, hash: hash("sha256", `onbehalf request_logs 1\n${writerId}`) };
}

/**
 * The row with its number and hash, following `head`. SHA-256 is over the writer, the number, the hash before, and every
 * column in a fixed order. Every field is part of it, so that no column can be changed, and none moved into another.
 * @param fields JSON array of the row's values in the order of `rowColumns`
 */
export function link(fields: string, writerId: string, head: ChainHead): Link {
  const seq = head.seq + 1;
  const text = `[${JSON.stringify(writerId)},${seq},"${head.hash}",${fields}]`;
  return { seq, hash: hash("sha256", text), text };
}

/** The hash of a stored row, to the letter as `link` made it. */
export function hashRow(row: RequestRow, writerId: string, seq: number, previousHash: string): string {
  const fields = rowColumns.map((column) => row[column]);
  return hash("sha256", JSON.stringify([writerId, seq, previousHash, fields]));
}

type Value = string | number | boolean | null;

/** A stored row: what was hashed, then where it stands in its chain. */
export const chainedColumns = [...rowColumns, "writer_id", "writer_seq", "previous_hash", "hash"] as const;

/** The values of a row, in the order of `chainedColumns`. */
export function chainedValues({ text, hash: own }: Link): Value[] {
  const [writerId, seq, previousHash, values] = JSON.parse(text) as [string, number, string, Value[]];
  values.push(writerId, seq, previousHash, own);
  return values;
}

/** Back from the text of a link to its columns. */
export function chainedRow(row: Link): ChainedRow {
  const values = chainedValues(row);
  return Object.fromEntries(chainedColumns.map((column, index) => [column, values[index]])) as unknown as ChainedRow;
}
