import { isObject, type JsonObject } from "../../dialects/body.ts";
import type { Citation } from "../../dialects/conversation.ts";

/** Where a citation stands in what was sent: Converse's word for the kind, and its index, start and end at Anthropic. */
const places: ReadonlyMap<unknown, readonly [kind: string, index: string, start: string, end: string]> = new Map<
  unknown,
  readonly [string, string, string, string]
>([
  ["char_location", ["documentChar", "document_index", "start_char_index", "end_char_index"]],
  ["page_location", ["documentPage", "document_index", "start_page_number", "end_page_number"]],
  ["content_block_location", ["documentChunk", "document_index", "start_block_index", "end_block_index"]],
  ["search_result_location", ["searchResultLocation", "search_result_index", "start_block_index", "end_block_index"]],
]);

/** Anthropic's citation in Converse's words; undefined for what only its own tools cite. */
export function citationOf(cited: unknown): Citation | undefined {
  const location = isObject(cited) ? locationOf(cited) : undefined;
  if (!isObject(cited) || location === undefined) return undefined;
  const { cited_text, source } = cited;
  const title = cited.document_title ?? cited.title;
  return {
    ...(typeof title === "string" ? { title } : {}),
    ...(typeof source === "string" ? { source } : {}),
    sourceContent: typeof cited_text === "string" ? [{ text: cited_text }] : [],
    location,
  };
}

function locationOf(cited: JsonObject): Citation["location"] | undefined {
  const place = places.get(cited.type);
  if (place === undefined) return undefined;
  const [kind, index, start, end] = place;
  const indexName = kind === "searchResultLocation" ? "searchResultIndex" : "documentIndex";
  return { [kind]: { [indexName]: cited[index], start: cited[start], end: cited[end] } };
}
