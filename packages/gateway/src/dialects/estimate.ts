/** Four characters a token is close for English and high for nothing that matters; base64 counts as one picture. */
export const charactersPerToken = 4;
const tokensPerAttachment = 1600;
const attachmentCharacters = 4096;
const maxDepth = 64;

/** What a request's texts will cost in input tokens, roughly; used to reserve before the real count is known. */
export function estimateTokens(value: unknown): number {
  return tokensOf(value, "text", 0);
}

/** @param name of the property that holds it; what stands in a list is held by what holds the list */
function tokensOf(value: unknown, name: string, depth: number): number {
  if (typeof value === "string") {
    if (value.length > attachmentCharacters && !words.has(name) && isBase64(value)) return tokensPerAttachment;
    return Math.ceil(value.length / charactersPerToken);
  }
  if (typeof value !== "object" || value === null) return 0;
  if (depth > maxDepth) return tokensBelow(value);
  let tokens = 1;
  if (Array.isArray(value)) {
    for (const item of value) tokens += tokensOf(item, name, depth + 1);
  } else {
    const object = value as Readonly<Record<string, unknown>>;
    // What JSON gave has its own properties only.
    for (const own in object) tokens += tokensOf(object[own], heldBy(own, object, name), depth + 1);
  }
  return tokens;
}

/** The name that tells what a property is: what clients make up themselves is text, whatever its parts are called. */
function heldBy(own: string, object: Readonly<Record<string, unknown>>, name: string): string {
  if (madeUp.has(name) || madeUp.has(own)) return "json";
  if (own === "input" && (object.type === "tool_use" || "toolUseId" in object)) return "json";
  // Anthropic's documents of text have it where others have their bytes.
  return own === "data" && object.type === "text" ? "text" : own;
}

/** Schemas, and results of tools. */
const madeUp: ReadonlySet<string> = new Set(["json", "inputSchema", "input_schema", "parameters", "schema"]);

/** Without recursion, since a client chooses how deep; no dialect has an attachment there. */
function tokensBelow(value: object): number {
  let tokens = 0;
  const left: unknown[] = [value];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    if (typeof next === "string") tokens += Math.ceil(next.length / charactersPerToken);
    if (typeof next !== "object" || next === null) continue;
    tokens += 1;
    for (const item of Object.values(next)) left.push(item);
  }
  return tokens;
}

/** What models read letter by letter, whatever the letters are: words need no space between them to look like base64. */
const words: ReadonlySet<string> = new Set([
  "text",
  "content",
  "input",
  "inputText",
  "prompt",
  "system",
  "instructions",
  "thinking",
  "arguments",
  "output",
  "description",
  "title",
  "source",
  "context",
  "refusal",
  "json",
]);

const sampleCharacters = 1024;
const maxHead = 256;

/** By its characters at the beginning, in the middle and at the end: attachments have millions. A `data:` URL by those after its head. */
function isBase64(text: string): boolean {
  const start = text.startsWith("data:") ? text.slice(0, maxHead).indexOf(",") + 1 : 0;
  const last = text.length - sampleCharacters;
  return [start, (start + last) >> 1, last].every((at) => base64.test(text.slice(at, at + sampleCharacters)));
}

/** Either alphabet of RFC 4648, in lines or in one (RFC 2045 section 6.8). */
const base64 = /^[\w+/=\r\n-]*$/;

/** Reserved for an answer whose length the client left open. */
export const defaultOutputTokens = 1024;
