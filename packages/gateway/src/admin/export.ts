import type { RecordQueries, RowFilter } from "../record/queries.ts";
import { type ChainedRow, rowColumns } from "../record/row.ts";
import type { StageContext } from "../stages.ts";

const pageRows = 1_000;
const columns = [...rowColumns, "writer_id", "writer_seq", "previous_hash", "hash"] as const;

type ExportFormat = "jsonl" | "csv";

/** All rows of a filter, page by page, as they come: nothing large is held. */
export async function* exportLines(
  queries: Pick<RecordQueries, "pages">,
  filter: RowFilter,
  format: ExportFormat,
): AsyncGenerator<string> {
  if (format === "csv") yield `${columns.join(",")}\r\n`;
  for await (const rows of queries.pages(filter, pageRows))
    yield rows.map((row) => (format === "csv" ? csvLine(row) : `${JSON.stringify(row)}\n`)).join("");
}

/** Streams the rows page by page, so that a large record is never in memory. */
export function exportRows(c: StageContext, queries: RecordQueries, filter: RowFilter, format: ExportFormat): Response {
  const type = format === "csv" ? "text/csv; charset=utf-8" : "application/x-ndjson";
  const body = ReadableStream.from(exportLines(queries, filter, format)).pipeThrough(new TextEncoderStream());
  return c.body(body, 200, {
    "content-type": type,
    "content-disposition": `attachment; filename="request_logs.${format}"`,
  });
}

function csvLine(row: ChainedRow): string {
  return `${columns.map((column) => csvField(row[column])).join(",")}\r\n`;
}

/** RFC 4180. A value a spreadsheet would take for a formula gets an apostrophe before it. */
function csvField(value: string | number | boolean | null): string {
  if (value === null) return "";
  const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
