import { z } from "zod";

/** A name or pattern as a request may hold it: printable, well-formed, and of a length that fits. */
export function text(max: number) {
  return z
    .string()
    .min(1)
    .max(max)
    .refine(
      (value) => value.isWellFormed() && !/\p{Cc}/u.test(value),
      "must not hold control characters or broken text",
    );
}

const earliest = Date.UTC(1970, 0, 1);
const latest = Date.UTC(3000, 0, 1);

/** A day or a moment, within what every database can hold. */
export function moment() {
  return z
    .union(
      [z.iso.date(), z.iso.datetime({ offset: true })],
      "expected a day of the calendar, 2026-11-23, or a moment, 2026-11-23T08:00:00Z",
    )
    .refine(
      (value) => Date.parse(value) >= earliest && Date.parse(value) < latest,
      "expected a time between 1970 and 3000",
    );
}
