import { ShuttingDown } from "@onbehalf/service-kit";
import type { Response as UpstreamResponse } from "undici";
import type { Snapshot } from "./schemas.ts";

/** The last line has the rows: results of up to 50 MB (`max_bytes` of a connection), whose quotes JSON writes longer. */
const maxLineLength = 128 * 1024 * 1024;

/** Yields the lines of an NDJSON body as they come. @throws when a line is too long or the body breaks off */
async function* ndjsonLines(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let begun: string[] = [];
  let length = 0;
  for await (const chunk of body) {
    const [first = "", ...more] = decoder.decode(chunk, { stream: true }).split("\n");
    begun.push(first);
    length += first.length;
    if (length > maxLineLength) throw new Error("a line of the answer is too long");
    if (more.length === 0) continue;
    const last = more.pop() ?? "";
    yield* [begun.join(""), ...more].filter((line) => line !== "");
    begun = [last];
    length = last.length;
  }
  const rest = begun.join("");
  if (rest !== "") yield rest;
}

interface StreamOptions {
  readonly upstream: UpstreamResponse;
  readonly requestId: string;
  /** Of the lines that are not the last, one in so many milliseconds is passed on; all of them when 0. */
  readonly paceMs: number;
  /** Changes a line on its way, for the page. */
  readonly toLine: (snapshot: Snapshot) => object;
  readonly parse: (line: string) => Snapshot;
  /** Told once how it ended; `aborted` when the reader went away. */
  readonly onEnd: (outcome: "ok" | "error" | "aborted", last: Snapshot | undefined) => void;
}

/**
 * Passes snapshots on one by one, as fast as they are read. A stream that breaks ends with a last line that says so;
 * a reader that leaves closes the stream above too.
 */
export function snapshotStream(options: StreamOptions): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const reader = options.upstream.body?.getReader();
  const lines = ndjsonLines(reader === undefined ? emptyBody() : chunksOf(reader));
  let last: Snapshot | undefined;
  let over = false;
  const end = (outcome: "ok" | "error" | "aborted"): void => {
    if (over) return;
    over = true;
    options.onEnd(outcome, last);
  };
  const isDue = createPace(options.paceMs);

  /** The next line to pass on; undefined at the end. */
  async function next(): Promise<Snapshot | undefined> {
    for (;;) {
      const { done, value } = await lines.next();
      if (done === true) return undefined;
      last = options.parse(value);
      if (!last.pending || isDue()) return last;
    }
  }

  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const line = (value: object): void => controller.enqueue(encoder.encode(`${JSON.stringify(value)}\n`));
      try {
        const snapshot = await next();
        if (snapshot !== undefined) return line(options.toLine(snapshot));
        if (last?.pending !== false) line(options.toLine(brokenOff(last, options.requestId, undefined)));
        end(last?.pending === false && last.error === undefined ? "ok" : "error");
      } catch (error) {
        line(options.toLine(brokenOff(last, options.requestId, error)));
        end("error");
      }
      controller.close();
    },
    async cancel() {
      end("aborted");
      // By the reader, which has the body to itself; what it waits for then ends.
      await reader?.cancel().catch(() => {});
    },
  });
}

/** Says yes at most once in `paceMs`, at the first time always. */
function createPace(paceMs: number): () => boolean {
  let dueAt = Number.NEGATIVE_INFINITY;
  return () => {
    const now = performance.now();
    if (now < dueAt) return false;
    dueAt = now + paceMs;
    return true;
  };
}

/** What was said so far stays; the end says that there is no more, and why. */
function brokenOff(last: Snapshot | undefined, requestId: string, error: unknown): Snapshot {
  const shutdown = error instanceof ShuttingDown;
  const message = shutdown
    ? "The service is restarting and could not finish this answer. Ask again in a moment."
    : "The answer broke off before its end. Ask again.";
  const said = last ?? { result: "", actions: [] };
  const reason = { error: shutdown ? "shutting_down" : "answer_broken_off", message, request_id: requestId };
  return { ...said, pending: false, error: reason };
}

async function* emptyBody(): AsyncGenerator<Uint8Array> {}

/** The parts of a body as its reader gets them; over when the reader cancels it. */
async function* chunksOf(reader: ReadableStreamDefaultReader<Uint8Array>): AsyncGenerator<Uint8Array> {
  for (let part = await reader.read(); !part.done; part = await reader.read()) yield part.value;
}
