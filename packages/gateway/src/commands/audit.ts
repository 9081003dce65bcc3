import type { Env } from "@onbehalf/service-kit";
import { Command } from "commander";
import { exportLines } from "../admin/export.ts";
import { removeOldRows } from "../record/retention.ts";
import { type Verification, verifyRecord } from "../record/verify.ts";
import type { Print } from "./keys.ts";
import { withSession } from "./session.ts";

/** What a command may do to its process, so that tests can look on. */
export interface AuditIo {
  readonly print: Print;
  /** Raw, for exports. */
  readonly write: (text: string) => void;
  readonly setExitCode: (code: number) => void;
}

interface SpanOptions {
  readonly from?: string;
  readonly until?: string;
}

/** `audit verify|export|retain`. `verify` exits 1 when the record is not what was written. */
export function auditCommand(env: Env, { print, write, setExitCode }: AuditIo): Command {
  const audit = new Command("audit").description("the record of requests");
  audit
    .command("verify")
    .description("follow every chain of rows; name what was altered, deleted or moved")
    .option("--heads", "also print where each chain ends, to be kept elsewhere")
    .action(({ heads }: { heads?: boolean }) =>
      withSession(env, async ({ database }) => {
        const verification = await verifyRecord(database);
        report(verification, print, heads === true);
        if (verification.findings.length > 0) setExitCode(1);
      }),
    );
  audit
    .command("export")
    .description("every row, as JSON lines or CSV, on standard output")
    .option("--format <format>", "jsonl or csv", "jsonl")
    .option("--from <time>", "ISO time, inclusive")
    .option("--until <time>", "ISO time, exclusive")
    .option("--user <id>")
    .action(({ format, from, until, user }: SpanOptions & { format: string; user?: string }) =>
      withSession(env, async ({ queries }) => {
        if (format !== "jsonl" && format !== "csv")
          throw new TypeError(`--format: expected jsonl or csv, got ${format}`);
        const filter = { readable: { kind: "all" }, userId: user, from: isoTime(from), until: isoTime(until) } as const;
        for await (const lines of exportLines(queries, filter, format)) write(lines);
      }),
    );
  audit
    .command("retain")
    .description("remove rows older than so many days; what is left can still be verified")
    .requiredOption("--days <n>")
    .action(({ days }: { days: string }) =>
      withSession(env, async ({ database }) => {
        if (!/^[1-9]\d{0,4}$/.test(days)) throw new TypeError(`--days: expected a whole number above 0, got ${days}`);
        print(`${await removeOldRows(database, Number(days), Date.now())} rows removed`);
      }),
    );
  return audit;
}

function report({ writers, rows, findings, lost, heads }: Verification, print: Print, withHeads: boolean): void {
  for (const { writer, seq, id, problem } of findings) {
    print(`BROKEN  writer ${writer} row ${seq}${id === undefined ? "" : ` (id ${id})`}: ${problem}`);
  }
  for (const { writer, lastSeq } of lost) {
    print(
      `note    writer ${writer} did not end in order; rows of the 50 ms after its row ${lastSeq} may never have been written`,
    );
  }
  if (withHeads) for (const { writer, seq, hash } of heads) print(`head    writer ${writer} row ${seq} ${hash}`);
  const verdict =
    findings.length === 0 ? "intact" : `${findings.length} broken ${findings.length === 1 ? "place" : "places"}`;
  print(`${counted(rows, "row")} of ${counted(writers, "writer")}: ${verdict}`);
}

function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}

function isoTime(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new TypeError(`expected an ISO time, got ${text}`);
  return new Date(ms).toISOString();
}
