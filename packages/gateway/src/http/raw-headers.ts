import type { IncomingMessage } from "node:http";

/** As much of `Headers` as finds a credential. */
export interface HeaderValues {
  /** Several of one name are joined by `, `, as Fetch has it; null: there is none. */
  get(name: string): string | null;
}

/**
 * The headers as they came. Node keeps only the first `Authorization` of several, so that nobody would see the second;
 * and Fetch's table, made anew for each request, looks at the signs of each value.
 */
export function rawHeaders({ rawHeaders: pairs }: Pick<IncomingMessage, "rawHeaders">): HeaderValues {
  return {
    /** @param name in lower case */
    get(name) {
      let found: string | null = null;
      for (let at = 0; at < pairs.length; at += 2) {
        const given = pairs[at] ?? "";
        if (given.length !== name.length || given.toLowerCase() !== name) continue;
        const value = pairs[at + 1] ?? "";
        found = found === null ? value : `${found}, ${value}`;
      }
      return found;
    },
  };
}
