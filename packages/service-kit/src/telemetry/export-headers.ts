import { decoded } from "../percent-encoding.ts";

/**
 * The headers of `OTEL_EXPORTER_OTLP_HEADERS`: pairs in the form of W3C Baggage, so a value may hold "=" and is
 * percent-encoded. Blanks within a value, which only Baggage forbids, are taken: keys are written with them.
 * @returns undefined for what is not of this form, or could not be sent as headers (RFC 9110 section 5)
 */
export function exportHeaders(text: string): Readonly<Record<string, string>> | undefined {
  const headers: Record<string, string> = {};
  for (const member of text.split(",").map((part) => part.trim())) {
    if (member === "") continue;
    const [, name, encoded = ""] = /^([\w!#$%&'*+.^`|~-]+)\s*=\s*(.*)$/s.exec(member) ?? [];
    const value = decoded(encoded);
    if (name === undefined || value === undefined || !/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) return undefined;
    headers[name] = value;
  }
  return headers;
}
