/**
 * Does a key with the one end work longer than one with the other? Undefined: it never ends. As moments, not by the
 * letter: a year beyond 9999 is written `+021192`, and would sort before every other.
 */
export function outlives(end: string | undefined, other: string | undefined): boolean {
  return momentOf(end) > momentOf(other);
}

function momentOf(end: string | undefined): number {
  return end === undefined ? Number.POSITIVE_INFINITY : Date.parse(end);
}
