import { hash } from "node:crypto";
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import type { Link } from "./chain.ts";

/**
 * A plain file of rows: each line is what was hashed, and its hash. Lines are only ever appended, so that the system has
 * them as soon as they are written, and the death of the process cannot hurt those before.
 */
export interface Segment {
  /** In one write; all of them or none. @throws when the disk does not take them */
  append(rows: readonly Link[]): void;
  bytes(): number;
  close(): void;
}

/** @throws when the file is there already */
export function createSegment(path: string): Segment {
  const file = openSync(path, "ax", 0o600);
  let size = 0;
  return {
    append(rows) {
      const lines = Buffer.from(rows.map(({ text, hash: own }) => `${text} ${own}\n`).join(""));
      try {
        for (let written = 0; written < lines.length; ) written += writeSync(file, lines, written);
      } catch (error) {
        // The rows will come again, through another writer.
        ftruncateSync(file, size);
        throw error;
      }
      size += lines.length;
    },
    bytes: () => size,
    close: () => closeSync(file),
  };
}

/**
 * The rows of a writer's file that are whole, in order: a line that was torn when the machine or the disk gave up is
 * left out, and the chain says then what is missing.
 */
export function readSegment(path: string, writerId: string): Link[] {
  const prefix = `[${JSON.stringify(writerId)},`;
  const rows: Link[] = [];
  for (const line of readFileSync(path, "utf8").split("\n")) {
    const row = parseLine(line, prefix);
    if (row !== undefined && row.seq > (rows.at(-1)?.seq ?? 0)) rows.push(row);
  }
  return rows;
}

const hashLength = 64;

function parseLine(line: string, prefix: string): Link | undefined {
  const text = line.slice(0, -hashLength - 1);
  const own = line.slice(-hashLength);
  if (!text.startsWith(prefix) || hash("sha256", text) !== own) return undefined;
  return { seq: Number.parseInt(text.slice(prefix.length, prefix.length + 20), 10), hash: own, text };
}
