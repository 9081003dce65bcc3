import type { Log } from "@onbehalf/service-kit";
import type { FromWorker } from "./messages.ts";

/**
 * What an operator is told of the worker's messages.
 * @param errorBefore what kept rows from the database until now: coming and going are told, staying is not
 */
export function report(
  message: FromWorker,
  errorBefore: string | undefined,
  log: Pick<Log, "info" | "warn" | "error">,
) {
  switch (message.kind) {
    case "state":
      if (message.error !== undefined && errorBefore === undefined) {
        log.warn(
          { reason: message.error, waiting: message.waiting },
          "record: rows wait on disk, the database is away",
        );
      } else if (message.error === undefined && errorBefore !== undefined) {
        log.info({}, "record: the database is back, all rows are delivered");
      }
      return;
    case "misfit":
      log.error(
        { row: message.id, reason: message.reason },
        "record: the database refuses this row; it is kept in record_misfits",
      );
      return;
    case "lost":
      log.warn(
        { writer: message.writerId, last_row: message.lastSeq },
        "record: an earlier process did not end in order; rows of its last 50 ms may be missing after its last row",
      );
      return;
    case "closed":
      if (message.waiting > 0) log.warn({ waiting: message.waiting }, "record: rows stay on disk for the next start");
  }
}
