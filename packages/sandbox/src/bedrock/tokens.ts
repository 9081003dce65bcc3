/** The stand-in's idea of tokens: four characters each, at least one. */
export function tokensIn(text: string): number {
  return Math.max(1, Math.ceil(text.length / 4));
}

/** Splits a text as it would stream: a word with the space before it is one piece. */
export function pieces(text: string): string[] {
  return text.match(/\s*\S+|\s+$/g) ?? [];
}
