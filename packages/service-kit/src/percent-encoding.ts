/** A percent-encoded text (RFC 3986 section 2.1) in plain; undefined when it is none, for example `100%`. */
export function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
