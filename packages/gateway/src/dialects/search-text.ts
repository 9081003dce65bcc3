import type { SearchResult } from "./conversation.ts";

/** A find, for models that have no block for it. */
export function searchText({ source, title, content }: Pick<SearchResult, "source" | "title" | "content">): string {
  return `${title} (${source}):\n\n${content.map(({ text }) => text).join("\n")}`;
}
