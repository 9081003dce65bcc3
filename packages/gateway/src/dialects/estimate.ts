/** Four characters a token is close for English and high for nothing that matters; base64 counts as one picture. */
export const charactersPerToken = 4;
const tokensPerAttachment = 1600;
const attachmentCharacters = 4096;
const maxDepth = 64;

/** What a request's texts will cost in input tokens, roughly; used to reserve before the real count is known. */
export function estimateTokens(value: unknown, depth = 0): number {
  if (typeof value === "string") {
    if (value.length > attachmentCharacters && !value.slice(0, 1024).includes(" ")) return tokensPerAttachment;
    return Math.ceil(value.length / charactersPerToken);
  }
  if (typeof value !== "object" || value === null || depth > maxDepth) return 0;
  let tokens = 1;
  if (Array.isArray(value)) {
    for (const item of value) tokens += estimateTokens(item, depth + 1);
  } else {
    // What JSON gave has its own properties only.
    for (const name in value) tokens += estimateTokens((value as Readonly<Record<string, unknown>>)[name], depth + 1);
  }
  return tokens;
}

/** Reserved for an answer whose length the client left open. */
export const defaultOutputTokens = 1024;
