const askingWord = "who|whom|whose|which|what|when|where|how";
const auxiliary = "is|are|was|were|does|do|did";
const seam = new RegExp(`\\?\\s+(?=\\S)|,?\\s+and\\s+(?=(?:${askingWord}|${auxiliary})\\b)`, "i");

/**
 * “How many people are there and who leads Atlas?”: each half begins like a question of its own. Undefined unless it is
 * two: “who leads Atlas and is in Maps” and “people who lead Atlas and who are in Maps” ask for one who does both.
 */
export function twoQuestions(text: string): readonly [string, string] | undefined {
  const parts = text.split(seam).map((part) => part.trim());
  const [first = "", second = ""] = parts;
  if (parts.length !== 2 || first === "" || second === "") return undefined;
  const begins = (part: string, words: string) => new RegExp(`^\\W*(?:${words})\\b`, "i").test(part);
  const [word = ""] = /^\w+/.exec(second) ?? [];
  const goesOn = begins(second, auxiliary) && !begins(first, auxiliary);
  const relative = begins(second, askingWord) && new RegExp(`\\w\\W+${word}\\b`, "i").test(first);
  return goesOn || relative ? undefined : [`${first.replace(/\W*$/, "")}?`, second];
}
