import { hash } from "node:crypto";
import { type ChainedRow, type RequestRow, rowColumns } from "./row.ts";

/** Where a writer's chain stands: the number and hash of its newest row. */
export interface ChainHead {
  readonly seq: number;
  readonly hash: string;
}

/** The first row of a writer follows this; it binds the chain to the writer's own name. */
export function genesis(writerId: string): ChainHead {
  return { seq: 0, hash: hash("sha256", `onbehalf request_logs 1\n${writerId}`) };
}

/** The row with its number and hash, following `head`. */
export function link(row: RequestRow, writerId: string, head: ChainHead): ChainedRow {
  const seq = head.seq + 1;
  return {
    ...row,
    writer_id: writerId,
    writer_seq: seq,
    previous_hash: head.hash,
    hash: hashRow(row, writerId, seq, head.hash),
  };
}

/**
 * SHA-256 over the writer, the number, the hash before, and every column in a fixed order as JSON. Every field is part
 * of it, so that no column can be changed, and none moved into another.
 */
export function hashRow(row: RequestRow, writerId: string, seq: number, previousHash: string): string {
  const fields = rowColumns.map((column) => row[column]);
  return hash("sha256", JSON.stringify([writerId, seq, previousHash, fields]));
}
