import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { ChainHead, Link } from "./chain.ts";
import { createSegment, readSegment, type Segment } from "./segment.ts";
import { adoptWriterFile, createWriterFile, type WriterFile } from "./writer-file.ts";

/**
 * One writer's rows on their way to the database, in files of its own: a row is there as soon as it was appended,
 * whatever becomes of the process. Files are never rewritten; one is deleted when all its rows are delivered.
 */
export interface Spool {
  readonly writerId: string;
  readonly startedAt: string;
  head(): ChainHead;
  /** In one write. */
  append(rows: readonly Link[]): void;
  /** The rows of the oldest file, which takes no more from now on; empty when all are delivered. */
  oldest(): readonly Link[];
  /** The rows that `oldest` gave are delivered: forgets them. */
  forget(): void;
  waiting(): number;
  bytes(): number;
  /** True when its writer ended in order. */
  isClean(): boolean;
  /** Says that its writer ended in order, and lets the files go. Whoever finds them may deliver what is left. */
  close(ending: "clean" | "keep"): void;
  /** Everything is delivered: closes and deletes the files. */
  discard(): void;
}

const maxSegmentBytes = 4_194_304;
/** As much as this is kept in memory beside the disk, and delivered from there; what is beyond is read from the disk. */
const maxHeldBytes = 16_777_216;

const writerEnding = ".writer";
const rowsEnding = ".rows";

/**
 * This process's own spool, which is new.
 * @param startedAt ISO time, written into the writer's file
 */
export function createSpool(folder: string, writerId: string, startedAt: string): Spool {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const writer = createWriterFile(join(folder, `${writerId}${writerEnding}`), writerId, startedAt);
  return spoolOf(folder, writerId, writer, []);
}

/** The spools of writers that live no more. Those whose writer still runs are locked, and left alone. */
export function abandonedSpools(folder: string): readonly Spool[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).sort();
  return names.flatMap((name) => {
    if (!name.endsWith(writerEnding)) return [];
    const writer = adoptWriterFile(join(folder, name));
    if (writer === undefined) return [];
    const writerId = name.slice(0, -writerEnding.length);
    // Looked for again: its last rows may have come after the first look.
    const files = readdirSync(folder).filter((file) => file.startsWith(`${writerId}.`) && file.endsWith(rowsEnding));
    const paths = files.sort().map((file) => join(folder, file));
    const parts = paths.map((path) => ({ path, bytes: statSync(path).size, rows: undefined }));
    return [spoolOf(folder, writerId, writer, parts)];
  });
}

/** A file of rows. */
interface Part {
  readonly path: string;
  bytes: number;
  /** Undefined where they are on disk only. */
  rows: Link[] | undefined;
}

function spoolOf(folder: string, writerId: string, writer: WriterFile, parts: Part[]): Spool {
  let delivered = writer.delivered();
  let head = newest(parts, writerId, delivered);
  /** The newest part, while rows are appended to it. */
  let open: { readonly part: Part; readonly segment: Segment } | undefined;

  const heldBytes = () => parts.reduce((sum, { rows, bytes }) => sum + (rows === undefined ? 0 : bytes), 0);
  const begin = (firstSeq: number) => {
    // Names in the order of the rows.
    const path = join(folder, `${writerId}.${String(firstSeq).padStart(15, "0")}${rowsEnding}`);
    const segment = createSegment(path);
    const part: Part = { path, bytes: 0, rows: heldBytes() < maxHeldBytes ? [] : undefined };
    parts.push(part);
    return { part, segment };
  };
  const seal = (): void => {
    open?.segment.close();
    open = undefined;
  };
  const rowsOf = (part: Part): readonly Link[] => {
    if (part === open?.part) seal();
    part.rows ??= readSegment(part.path, writerId).filter(({ seq }) => seq > delivered.seq);
    return part.rows;
  };
  const dropOldest = (): void => {
    const part = parts.shift();
    if (part === undefined) return;
    rmSync(part.path, { force: true });
    // Also when the last of them could not be read: they are no longer waited for.
    if (parts.length === 0) delivered = head;
  };
  return {
    writerId,
    startedAt: writer.startedAt,
    head: () => head,
    append(rows) {
      const [first, last] = [rows[0], rows.at(-1)];
      if (first === undefined || last === undefined) return;
      open ??= begin(first.seq);
      const { part, segment } = open;
      segment.append(rows);
      part.bytes = segment.bytes();
      for (const row of rows) part.rows?.push(row);
      head = { seq: last.seq, hash: last.hash };
      if (part.bytes >= maxSegmentBytes) seal();
    },
    oldest() {
      for (let [part] = parts; part !== undefined; [part] = parts) {
        const rows = rowsOf(part);
        if (rows.length > 0) return rows;
        dropOldest();
      }
      return [];
    },
    forget() {
      const last = parts[0]?.rows?.at(-1);
      if (last === undefined) return;
      delivered = { seq: last.seq, hash: last.hash };
      writer.setDelivered(delivered);
      dropOldest();
    },
    waiting: () => head.seq - delivered.seq,
    bytes: () => parts.reduce((sum, { bytes }) => sum + bytes, 0),
    isClean: () => writer.isClean(),
    close(ending) {
      seal();
      writer.close(ending);
    },
    discard() {
      seal();
      // The rows first: without the writer's file nobody would look for them.
      for (const { path } of parts) rmSync(path, { force: true });
      writer.remove();
    },
  };
}

/** The last row that is whole. */
function newest(parts: readonly Part[], writerId: string, delivered: ChainHead): ChainHead {
  for (const { path } of parts.toReversed()) {
    const last = readSegment(path, writerId).at(-1);
    if (last !== undefined) return last.seq > delivered.seq ? { seq: last.seq, hash: last.hash } : delivered;
  }
  return delivered;
}
