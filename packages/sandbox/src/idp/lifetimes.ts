import { z } from "zod";

const seconds = (fallback: number) => z.coerce.number().int().positive().default(fallback);

const schema = z.strictObject({
  accessTokenSeconds: seconds(3600),
  idTokenSeconds: seconds(3600),
  refreshTokenSeconds: seconds(14 * 24 * 3600),
  sessionSeconds: seconds(12 * 3600),
  /** How long somebody has to enter the code their device shows (RFC 8628, section 3.2: `expires_in`). */
  deviceCodeSeconds: seconds(600),
});

const names = [
  "accessTokenSeconds",
  "idTokenSeconds",
  "refreshTokenSeconds",
  "sessionSeconds",
  "deviceCodeSeconds",
] as const;

/** How long what is issued lives, in seconds. Read anew for every token, so a running provider can be told otherwise. */
export type Lifetimes = z.output<typeof schema>;

/** @throws ZodError for a lifetime that is not a positive whole number, or a name that is none */
export function lifetimes(given: Partial<Lifetimes> = {}): Lifetimes {
  return schema.parse(given);
}

/** Changes those that are named. @throws ZodError as above; then nothing is changed */
export function changeLifetimes(current: Lifetimes, given: unknown): void {
  const asked = z.partialRecord(z.enum(names), z.unknown()).parse(given);
  Object.assign(current, schema.parse({ ...current, ...asked }));
}
