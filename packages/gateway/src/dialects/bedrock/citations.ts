import { isObject, type JsonObject } from "../body.ts";

/** Where a Converse body first asks for citations; undefined where it asks for none. @param content blocks that were read */
export function citationsAt(content: unknown, path: string): string | undefined {
  if (!Array.isArray(content)) return undefined;
  for (let index = 0; index < content.length; index += 1) {
    const found = askedBy(content[index], `${path}[${index}]`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function askedBy(block: JsonObject, path: string): string | undefined {
  for (const kind of ["document", "searchResult"]) {
    const cited = block[kind];
    if (isObject(cited) && isObject(cited.citations) && cited.citations.enabled === true)
      return `${path}.${kind}.citations`;
  }
  // A message, or a tool's result.
  if (Array.isArray(block.content)) return citationsAt(block.content, `${path}.content`);
  return isObject(block.toolResult) ? askedBy(block.toolResult, `${path}.toolResult`) : undefined;
}
