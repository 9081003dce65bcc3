import { briefMemory } from "./brief-memory.ts";
import { AuthError } from "./errors.ts";

/** Which exchanged tokens the next hop refused lately, so that a hop that refuses everything does not cost an exchange each time. */
interface Rejections {
  /**
   * Notes a refusal. True when it is the first of this token, which must then be dropped.
   * @throws AuthError `subject_rejected` when the token before it was refused too
   */
  readonly note: (key: string, token: string) => boolean;
  /** @throws AuthError `subject_rejected` when this very token was refused: some servers issue the same one again */
  readonly check: (key: string, token: string) => void;
}

/** Seconds in which a second refusal is not answered with yet another exchange. */
const PAUSE_SECONDS = 10;
const MAX_ENTRIES = 1000;

/** For one process: each finds out by itself. */
export function createRejections(steadyMs: () => number): Rejections {
  const refused = briefMemory<string>(PAUSE_SECONDS, MAX_ENTRIES, steadyMs);
  return {
    note(key, token) {
      const before = refused.get(key);
      // Many callers may hold the one refused token: the first drops it, and all of them share the new one.
      if (before === token) return false;
      if (before !== undefined) throw refusedAgain();
      refused.set(key, token);
      return true;
    },
    check(key, token) {
      if (refused.get(key) === token) throw refusedAgain();
    },
  };
}

function refusedAgain(): AuthError {
  return new AuthError("subject_rejected", "The next service refuses the token made for you, and a new one as well.");
}
