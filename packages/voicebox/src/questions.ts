import { ClientGone } from "@onbehalf/service-kit";
import type { Context } from "hono";
import type { Answer } from "./answer.ts";
import type { Answering } from "./answering.ts";
import { asLastWord } from "./failure.ts";
import type { RecordVariables } from "./record.ts";
import { createSnapshotStream, type Snapshot } from "./stream.ts";

type QuestionContext = Context<{ Variables: RecordVariables }>;

/** `POST /api/v1/voicebox/ask`: the whole answer at once. */
export function ask(answering: Answering) {
  return async (c: QuestionContext): Promise<Response> => c.json(await answering(c, "run"));
}

/** `POST /api/v1/voicebox/generate-query`: the query that would answer it, checked but not run. */
export function generateQuery(answering: Answering) {
  return async (c: QuestionContext): Promise<Response> => c.json(await answering(c, "check"));
}

/**
 * `POST /api/v1/voicebox/stream/ask`: NDJSON, each line the answer so far. What fails before the first line is an
 * ordinary error; after it, the last line says what happened.
 */
export function streamAsk(answering: Answering) {
  return async (c: QuestionContext): Promise<Response> => {
    const { recorder, requestId } = c.var;
    const stream = createSnapshotStream();
    let latest: (() => Answer) | undefined;
    const begun = Promise.withResolvers<void>();
    const answered = answering(c, "run", (snapshot) => {
      latest = snapshot;
      stream.push(snapshot);
      begun.resolve();
    });
    const finished = answered.then(
      (answer) => end({ ...answer, pending: false }),
      (error: unknown) => {
        if (latest === undefined) throw error;
        if (error instanceof ClientGone) c.get("note")({ outcome: "aborted" });
        end({ ...latest(), pending: false, error: asLastWord(error, requestId) }, error);
      },
    );
    function end(last: Snapshot, error?: unknown): void {
      stream.end(last);
      if (error !== undefined) c.get("note")({ error_code: last.error?.error });
      recorder.end(error === undefined ? 200 : (last.error?.status ?? 500), error);
    }
    await Promise.race([begun.promise, finished]);
    recorder.defer();
    // Already told to the client by the last line; here only so that no rejection goes unheard.
    finished.catch(() => undefined);
    return c.body(stream.body, 200, {
      "content-type": "application/x-ndjson; charset=utf-8",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    });
  };
}
