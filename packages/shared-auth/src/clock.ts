/**
 * Two clocks: `wallMs` is compared with what tokens say, `steadyMs` measures ages and pauses, because a wall clock
 * that is set an hour back must not make a key set or a cooldown an hour younger.
 */
export interface Clock {
  /** Milliseconds since the epoch. */
  readonly wallMs: () => number;
  /** Milliseconds since some fixed moment; never goes back. */
  readonly steadyMs: () => number;
}

/** Clocks for tests; nobody else gives any. */
export interface ClockOptions {
  /** Milliseconds since the epoch, for what tokens say; `Date.now` unless given. */
  readonly now?: (() => number) | undefined;
  /** Milliseconds that never go back, for ages; `performance.now` unless given. */
  readonly steadyNow?: (() => number) | undefined;
}

/** The options' clocks, or the platform's. */
export function clockFrom(options: ClockOptions): Clock {
  return { wallMs: options.now ?? Date.now, steadyMs: options.steadyNow ?? (() => performance.now()) };
}
