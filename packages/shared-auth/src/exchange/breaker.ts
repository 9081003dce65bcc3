/** Stops asking a server that does not answer, so that nobody waits for it in vain. */
export interface Breaker {
  /** Milliseconds until asking makes sense again; 0 when it does now. Says 0 to one caller only while it is trying. */
  readonly closedFor: () => number;
  readonly succeeded: () => void;
  readonly failed: () => void;
}

/** When to stop asking, and for how long. */
interface BreakerOptions {
  /** So many failures in a row open it. */
  readonly failures: number;
  /** So long it stays open; then one request goes through, and decides. */
  readonly openMs: number;
  /** A clock that never goes back: a wall clock set an hour back would keep it open for an hour. */
  readonly steadyMs: () => number;
  readonly onState: (state: "open" | "half_open" | "closed") => void;
}

/** A breaker that is closed to begin with. */
export function createBreaker({ failures, openMs, steadyMs, onState }: BreakerOptions): Breaker {
  let inARow = 0;
  let openUntilMs: number | undefined;
  return {
    closedFor() {
      if (openUntilMs === undefined) return 0;
      const left = openUntilMs - steadyMs();
      if (left > 0) return left;
      // This caller tries; the others wait for what becomes of it, but not for ever, should it never report.
      openUntilMs = steadyMs() + openMs;
      onState("half_open");
      return 0;
    },
    succeeded() {
      inARow = 0;
      if (openUntilMs === undefined) return;
      openUntilMs = undefined;
      onState("closed");
    },
    failed() {
      inARow += 1;
      if (inARow < failures) return;
      openUntilMs = steadyMs() + openMs;
      onState("open");
    },
  };
}
