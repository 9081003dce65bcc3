import type { Answer } from "./answer.ts";

/** One line of the stream: the whole answer so far, not what was added. */
export interface Snapshot extends Answer {
  readonly pending: boolean;
  /** Why the answer ended early; only in the last line. */
  readonly error?: {
    readonly error: string;
    readonly message: string;
    readonly status: number;
    readonly request_id: string;
  };
}

interface SnapshotStream {
  readonly body: ReadableStream<Uint8Array>;
  /** There is more to see. */
  push(snapshot: () => Answer): void;
  /** The last line; the stream ends after it. */
  end(last: Snapshot): void;
}

/** Lines come no faster than people read: each one repeats everything before it. */
const defaultIntervalMs = 40;

/**
 * NDJSON of snapshots. Each replaces the one before, so that a slow reader gets fewer lines instead of a growing
 * backlog: nothing is kept but the newest.
 */
export function createSnapshotStream(intervalMs = defaultIntervalMs): SnapshotStream {
  const encoder = new TextEncoder();
  let newest: (() => Answer) | undefined;
  let last: Snapshot | undefined;
  let wake: (() => void) | undefined;

  const changed = (): Promise<void> =>
    newest !== undefined || last !== undefined ? Promise.resolve() : new Promise((resolve) => (wake = resolve));
  const line = (snapshot: Snapshot): Uint8Array => encoder.encode(`${JSON.stringify(snapshot)}\n`);
  const signalChange = (): void => {
    wake?.();
    wake = undefined;
  };

  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        await changed();
        if (last !== undefined) {
          controller.enqueue(line(last));
          controller.close();
          return;
        }
        const snapshot = newest;
        newest = undefined;
        if (snapshot !== undefined) controller.enqueue(line({ ...snapshot(), pending: true }));
        await Promise.race([new Promise((resolve) => setTimeout(resolve, intervalMs)), ended()]);
      },
    },
    { highWaterMark: 1 },
  );

  let announceEnd: (() => void) | undefined;
  const end = new Promise<void>((resolve) => (announceEnd = resolve));
  function ended(): Promise<void> {
    return end;
  }

  return {
    body,
    push(snapshot) {
      newest = snapshot;
      signalChange();
    },
    end(snapshot) {
      last = snapshot;
      announceEnd?.();
      signalChange();
    },
  };
}
