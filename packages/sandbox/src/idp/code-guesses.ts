/** Wrong codes an issuer takes within the window, from everybody together: whoever guesses changes browsers at will. */
const maxWrong = 30;
const windowMs = 60_000;

/** Bounds the guessing of user codes (RFC 8628, section 5.1). */
export interface CodeGuesses {
  /**
   * Counts a try as wrong from its beginning, so that many at once do not slip through together.
   * @param now in milliseconds
   * @returns takes it back, for a code that was not wrong; undefined when too many were, and no code may be looked up
   */
  begin(now: number): (() => void) | undefined;
}

export function createCodeGuesses(): CodeGuesses {
  let wrong: { readonly at: number }[] = [];
  return {
    begin: (now) => {
      wrong = wrong.filter(({ at }) => at > now - windowMs);
      if (wrong.length >= maxWrong) return undefined;
      const guess = { at: now };
      wrong.push(guess);
      return () => {
        wrong = wrong.filter((other) => other !== guess);
      };
    },
  };
}
