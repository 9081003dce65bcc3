/**
 * What every factory demands of its options. Types hold for who writes TypeScript; a setting that comes from JSON, from
 * the environment or from plain JavaScript must not loosen a check because it is text, or no number at all.
 */

/** @throws TypeError for a duration that is none, as a slip in configuration makes it */
export function requireSeconds(value: number, name: string, most: number = Number.MAX_VALUE): number {
  if (typeof value === "number" && value >= 0 && value <= most) return value;
  const range = most === Number.MAX_VALUE ? "0 or more" : `0 to ${most}`;
  throw new TypeError(`${name} must be a number of seconds, ${range}, and is ${String(value)}.`);
}

/** @throws TypeError for a time limit that would never end, or has ended already */
export function requireMilliseconds(value: number, name: string): number {
  if (typeof value === "number" && value > 0 && value <= Number.MAX_SAFE_INTEGER) return value;
  throw new TypeError(`${name} must be a number of milliseconds, more than 0, and is ${String(value)}.`);
}

/** @throws TypeError for a bound that is none */
export function requireEntries(value: number, name: string): number {
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new TypeError(`${name} must be a whole number, 1 or more, and is ${String(value)}.`);
}

/** `"false"` is no `false`. @throws TypeError for what is neither */
export function requireFlag(value: boolean, name: string): boolean {
  if (typeof value === "boolean") return value;
  throw new TypeError(`${name} must be true or false, and is ${JSON.stringify(value)}.`);
}

/** A list, not one text: that would be read letter by letter. @throws TypeError for anything else */
export function requireTexts(value: readonly string[], name: string): readonly string[] {
  if (Array.isArray(value) && value.every(isText)) return Object.freeze([...value]);
  throw new TypeError(`${name} must be a list of strings, and none of them empty.`);
}

export function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
