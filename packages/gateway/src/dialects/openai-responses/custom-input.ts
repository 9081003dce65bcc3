import { isObject } from "../body.ts";

const opening = /^\s*\{\s*"input"\s*:\s*"/;
/** What is longer begins in another way. */
const longestOpening = 256;
/** The longest that is not whole yet: a surrogate pair without its last digit. Behind what is longer nothing becomes whole. */
const longestHalf = 11;
/** Characters that are whole: an escape or a surrogate pair may have its second half in the next piece. */
const whole =
  /^(?:[^"\\]|\\["\\/bfnrt]|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[0-9a-fA-F]{4}|\\u(?![dD][89abAB])[0-9a-fA-F]{4})*/;

/**
 * Reads the text of a custom tool's input out of its JSON, `{"input":"…"}`, while that comes in pieces.
 * @returns what each piece adds to the text; nothing for what is written in any other way
 */
export function createInputReader(): (json: string) => string {
  let held = "";
  let state: "before" | "inside" | "over" = "before";
  return (json) => {
    if (state === "over") return "";
    held += json;
    if (state === "before") {
      const start = opening.exec(held)?.[0];
      if (start === undefined) {
        if (held.length > longestOpening) state = "over";
        return "";
      }
      held = held.slice(start.length);
      state = "inside";
    }
    const ready = whole.exec(held)?.[0] ?? "";
    held = held.slice(ready.length);
    if (held.startsWith('"') || held.length > longestHalf) state = "over";
    try {
      return JSON.parse(`"${ready}"`);
    } catch {
      state = "over";
      return "";
    }
  };
}

/** The text of an input, as far as it came; one that is no `{"input":"…"}` stands for itself. */
export function customInput(json: string): string {
  try {
    const parsed: unknown = JSON.parse(json);
    return isObject(parsed) && typeof parsed.input === "string" ? parsed.input : json;
  } catch {
    return createInputReader()(json) || json;
  }
}
