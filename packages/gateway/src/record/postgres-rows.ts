import { CompiledQuery, type Kysely } from "kysely";
import type { GatewayTables } from "../sql/tables.ts";
import { chainedColumns, chainedRow } from "./chain.ts";
import type { RowWriter } from "./delivery.ts";

const names = chainedColumns.map((column) => `"${column}"`).join(", ");
const insert = `insert into request_logs (${names}) select ${names} from json_populate_recordset(null::request_logs, $1::json) on conflict (writer_id, writer_seq) do nothing`;

/** Some 1.5 MB: in its time also over a slow line. */
const maxRows = 1_000;

/** A batch goes as one JSON text: a query builder takes ten times as long over so many values. */
export function postgresRows(kysely: Kysely<GatewayTables>): RowWriter {
  return {
    maxRows,
    write: (rows, head) =>
      kysely.transaction().execute(async (transaction) => {
        await transaction.executeQuery(head);
        await transaction.executeQuery(CompiledQuery.raw(insert, [JSON.stringify(rows.map(chainedRow))]));
      }),
    close() {},
  };
}
