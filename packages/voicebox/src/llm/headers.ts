import type { z } from "zod";

/** Headers that are ours to write: who calls, where to, and as part of which trace. */
const ours = [
  "authorization",
  "x-api-key",
  "host",
  "content-length",
  "content-type",
  "transfer-encoding",
  "connection",
  "cookie",
  "traceparent",
  "tracestate",
  "x-request-id",
  "x-onbehalf-app",
];
const nameForm = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const userPlaceholder = "$VOICEBOX_USER";

/** For configured headers: names HTTP allows, values on one line, none of ours. */
export function checkedHeaders(headers: Readonly<Record<string, string>>, context: z.RefinementCtx): void {
  for (const [name, value] of Object.entries(headers)) {
    const message = problemOf(name, value);
    if (message !== undefined) context.addIssue({ code: "custom", path: [name], message });
  }
}

function problemOf(name: string, value: string): string | undefined {
  if (!nameForm.test(name)) return "is not a header name";
  if (ours.includes(name.toLowerCase())) return "is written by Voicebox itself and cannot be configured";
  return /^[\t\x20-\x7e]*$/.test(value) ? undefined : "has a value with characters that headers cannot carry";
}

/** The configured headers for one user: `$VOICEBOX_USER` in a value stands for the user's name. */
export function headersFor(
  configured: Readonly<Record<string, string>>,
  user: string,
): Readonly<Record<string, string>> {
  const name = headerText(user);
  return Object.fromEntries(
    Object.entries(configured).map(([header, value]) => [header, value.replaceAll(userPlaceholder, () => name)]),
  );
}

/** What a header can carry; the rest percent-encoded, line ends above all. */
export function headerText(text: string): string {
  return text.replace(/[^\x20-\x7e]/gu, (character) =>
    [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(""),
  );
}
