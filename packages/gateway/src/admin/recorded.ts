import type { Recorder } from "../record/recorder.ts";

/** Of the recorder only what a question about it needs: that what was asked before is in it. */
export type FlushRecorder = Pick<Recorder, "flush">;

const flushMs = 3_000;

/**
 * Before the record is read: rows come to the database late, and who asks expects the call he just made. Those that are
 * still on their way after 3 s, the database's fault, are not waited for; nor are those of other processes.
 */
export async function untilRecorded(recorder: FlushRecorder): Promise<void> {
  await recorder.flush(flushMs);
}
