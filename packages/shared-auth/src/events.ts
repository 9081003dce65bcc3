/**
 * What happened inside, for logs and counters. Never holds a token. `error` is the private reason.
 */
export type AuthEvent =
  | {
      readonly type: "keys_loaded";
      readonly issuer: string;
      readonly keys: number;
      readonly refused: readonly string[];
    }
  | {
      readonly type: "keys_failed";
      readonly issuer: string;
      readonly error: unknown;
      readonly serving: "stale" | "nothing";
    }
  | { readonly type: "exchange_retried"; readonly server: string; readonly attempt: number }
  | { readonly type: "breaker_changed"; readonly server: string; readonly state: "open" | "half_open" | "closed" }
  | { readonly type: "store_failed"; readonly operation: "get" | "set" | "delete"; readonly error: unknown };

/** Called at once and not waited for. */
export type OnEvent = (event: AuthEvent) => void;

/** A listener that cannot harm what it listens to: its own errors are its own. */
export function listener(onEvent: OnEvent | undefined): OnEvent {
  return (event) => {
    try {
      onEvent?.(event);
    } catch {
      // Nobody here could do anything about it.
    }
  };
}
