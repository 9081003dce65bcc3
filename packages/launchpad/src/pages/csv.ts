/**
 * Rows of a CSV text (RFC 4180): quoted fields may hold commas, line ends and doubled quotes.
 * @param most so many rows are read; what is behind them costs nothing
 */
export function parseCsv(text: string, most = Number.POSITIVE_INFINITY): readonly (readonly string[])[] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (const [, quoted, plain = "", end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r?\n|$)/g)) {
    row.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === ",") continue;
    if (row.length > 1 || row[0] !== "" || quoted !== undefined) rows.push(row);
    if (rows.length >= most) break;
    row = [];
  }
  return rows;
}

const [quote, comma, newline, carriageReturn] = [34, 44, 10, 13];

/** How many rows `parseCsv` would read, without making any of them. */
export function countRows(text: string): number {
  let rows = 0;
  let [isQuoted, isEmpty, atStart] = [false, true, true];
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (isQuoted) isQuoted = code !== quote;
    else if (code === newline) {
      if (!isEmpty) rows += 1;
      [isEmpty, atStart] = [true, true];
    } else if (code !== carriageReturn) {
      // Within a field, only the second of two quotes begins a quotation again.
      isQuoted = code === quote && (atStart || text.charCodeAt(at - 1) === quote);
      isEmpty = false;
      atStart = code === comma;
    }
  }
  return isEmpty ? rows : rows + 1;
}
