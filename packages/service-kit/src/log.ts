import { type DestinationStream, destination, type Logger, pino } from "pino";
import { createMask } from "./mask.ts";

export type { DestinationStream, Logger };

/** What a stage may do with a log: a pino logger, or the one of a request, which adds the ids. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Where a service's lines go, and what must not be seen in them. */
export interface LoggerOptions {
  /** Written into every line as `service`. */
  readonly service: string;
  /** `trace`, `debug`, `info`, `warn`, `error`, `fatal` or `silent`. */
  readonly level?: string | undefined;
  /** Where lines go; standard output when absent. */
  readonly destination?: DestinationStream | undefined;
  /** Secrets without a recognisable form (passwords, client secrets): hidden by their value. */
  readonly secrets?: readonly string[] | undefined;
}

/** Lines are gathered up to here, then written at once: a system call per line is the largest cost of a log. */
const bufferedLength = 12 * 1024;
/** And no line waits longer than this. */
const flushMs = 200;
const maxLineLength = 64 * 1024;

/**
 * A JSON logger that cannot print a token: each line is masked as a whole after it was serialised, so it does not
 * matter in which field, message, error or nested object a secret was handed in.
 */
export function createLogger({ service, level = "info", destination: target, secrets = [] }: LoggerOptions): Logger {
  let hide = createMask(secrets);
  const stream = target ?? standardOutput();
  const timestamp = createTimestamp();
  const log = pino(
    {
      level,
      base: { service },
      timestamp,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError, error: describeError },
      hooks: { streamWrite: (line) => hide(bounded(line)) },
    },
    stream,
  );
  const known = new Set(secrets);
  learners.set(log, (more) => {
    for (const secret of more) known.add(secret);
    hide = createMask([...known]);
  });
  const base = `,"service":${JSON.stringify(service)}`;
  plainWriters.set(log, (label, fields, message) => {
    // What is around the fields holds nothing that could be a secret; and of a line that is too long nothing is written.
    const shown = fields.length > maxLineLength ? fields : hide(fields);
    stream.write(bounded(`{"level":"${label}"${timestamp()}${base}${shown},"msg":"${message}"}\n`));
  });
  return log;
}

/** Written by `createLogger` alone, and gone with the logger; so are the writers below. */
const learners = new WeakMap<object, (secrets: readonly string[]) => void>();

/**
 * Hides these by their value, too, from the next line on, and what was hidden before still: for secrets that come with a
 * configuration read again. A child's lines are its parent's. What `createLogger` did not make hides what its maker has it
 * hide, of the first secrets as of these: there is nothing to tell it.
 */
export function hideAlso(log: Logger, secrets: readonly string[]): void {
  for (let made: object | null = log; made !== null; made = Object.getPrototypeOf(made)) learners.get(made)?.(secrets);
}

type PlainWriter = (level: PlainLevel, fields: string, message: PlainMessage) => void;
type PlainLevel = "debug" | "info" | "error";
/** Stands in the line as it is. */
type PlainMessage = "request";

const plainWriters = new WeakMap<Logger, PlainWriter>();

/**
 * Writes lines whose fields are plain values to the same place and masked alike, each put into words in one go: looked
 * at field by field, as pino does for whatever it may be given, the line of a request is the largest part of its log.
 */
export function plainLines(log: Logger): WritePlainLine {
  const write = plainWriters.get(log);
  return (level, parts, message) => {
    if (!log.isLevelEnabled(level)) return;
    const text = write === undefined ? undefined : joined(parts);
    if (write === undefined || text === undefined) log[level](Object.assign({}, ...parts), message);
    else write(level, text, message);
  };
}

/** @param parts the line's fields, no name in two of them; put together as text, which is cheaper than as objects */
type WritePlainLine = (level: PlainLevel, parts: readonly object[], message: PlainMessage) => void;

/** `,"name":value` for all of them. */
function joined(parts: readonly object[]): string | undefined {
  let text = "";
  for (const part of parts) {
    const json = jsonOf(part);
    if (json === undefined) return undefined;
    if (json.length > 2) text += `,${json.slice(1, -1)}`;
  }
  return text;
}

/** Undefined for what JSON has no words for, a number beyond its range or a circle: pino finds some. */
function jsonOf(fields: object): string | undefined {
  try {
    return JSON.stringify(fields);
  } catch {
    return undefined;
  }
}

/** ISO 8601, made anew only when a millisecond has passed. */
function createTimestamp(): () => string {
  let at = 0;
  let text = "";
  return () => {
    const now = Date.now();
    if (now !== at) {
      at = now;
      text = `,"time":"${new Date(now).toISOString()}"`;
    }
    return text;
  };
}

/** Standard output, gathered; what is left is written when the process exits. */
function standardOutput(): DestinationStream {
  const stream = destination({ dest: 1, sync: true });
  const gathered = gather(stream);
  process.once("exit", () => {
    gathered.flushSync();
    stream.flushSync();
  });
  return gathered;
}

/**
 * Lines on their way to a stream, in few large writes. Not the stream's own buffer: it looks at all it holds with every
 * line, and copies it to do so.
 */
export function gather(stream: DestinationStream): DestinationStream & { flushSync(): void } {
  let lines = "";
  let timer: NodeJS.Timeout | undefined;
  const flushSync = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const all = lines;
    lines = "";
    if (all !== "") stream.write(all);
  };
  return {
    write(line) {
      lines += line;
      if (lines.length >= bufferedLength) flushSync();
      else timer ??= setTimeout(flushSync, flushMs).unref();
    },
    flushSync,
  };
}

function bounded(line: string): string {
  if (line.length <= maxLineLength) return line;
  const start = line.slice(0, line.indexOf(',"service"'));
  return `${start},"msg":"a line of ${line.length} characters was left out"}\n`;
}

const maxCauses = 5;
const maxStackLength = 8_000;

/** An error's kind, message, code and stack with its causes; nothing else of it, since errors carry whole requests. */
export function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const stacks: string[] = [];
  let current: unknown = error;
  for (let depth = 0; depth < maxCauses && current instanceof Error; depth += 1) {
    stacks.push(current.stack ?? `${current.name}: ${current.message}`);
    current = current.cause;
  }
  return {
    type: error.name,
    message: error.message,
    ...("code" in error ? { code: error.code } : {}),
    stack: stacks.join("\ncaused by: ").slice(0, maxStackLength),
  };
}
