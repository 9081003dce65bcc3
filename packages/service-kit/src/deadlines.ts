import { createRoster, type Place } from "./roster.ts";

/** What has to be over in the same time, all of it. */
export interface Deadlines {
  /** @param onLate called once, when the time is over and nobody has ended it */
  begin(onLate: () => void): Place<Deadline>;
  end(place: Place<Deadline>): void;
}

/** One moment, and what happens when it passes; to be removed again by the object itself. */
interface Deadline {
  /** By the clock of `now`. */
  readonly endsAt: number;
  readonly onLate: () => void;
}

/**
 * One timer for all of them: what begins and ends thousands of times a second, long before its time, costs less when it
 * is looked for once the oldest's time has come than when each sets a timer and clears it.
 * @param ms how long each may take
 * @param now milliseconds of a monotonic clock
 */
export function createDeadlines(ms: number, now: () => number = () => performance.now()): Deadlines {
  const running = createRoster<Deadline>();
  let awake = false;
  const look = (): void => {
    const at = now();
    const late: Place<Deadline>[] = [];
    let nextAt = Number.POSITIVE_INFINITY;
    running.each((deadline, place) => {
      if (deadline.endsAt <= at) late.push(place);
      else nextAt = Math.min(nextAt, deadline.endsAt);
    });
    awake = nextAt < Number.POSITIVE_INFINITY;
    if (awake) lookIn(nextAt - at);
    for (const place of late) running.remove(place);
    for (const { member } of late) member.onLate();
  };
  // A connection that is waited for keeps the process; this does not.
  const lookIn = (waitMs: number): void => void setTimeout(look, Math.max(1, Math.ceil(waitMs))).unref();
  return {
    begin(onLate) {
      if (!awake) lookIn(ms);
      awake = true;
      return running.add({ endsAt: now() + ms, onLate });
    },
    end: (place) => running.remove(place),
  };
}
