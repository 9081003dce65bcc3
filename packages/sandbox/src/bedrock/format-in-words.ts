import { newestText, type Turn } from "./rule.ts";

/** So many opening braces are looked at in a prompt. */
const maxTries = 50;
/** No longer than this is a schema that somebody wrote. */
const maxCharacters = 100_000;
/** So near before a schema must stand that JSON is wanted. */
const wordsBefore = 300;

const anyObject = { type: "object", properties: { answer: { type: "string" } } };

/**
 * The schema of an answer that is asked for in words, as libraries do whose model has no structured output, or whose user
 * wants none: the last one that the prompt states behind a word of JSON. Where nothing but JSON is wanted, an object.
 */
export function formatInWords(turn: Turn): unknown {
  const prompt = `${turn.system}\n${newestText(turn)}`;
  if (!/\bjson/i.test(prompt)) return undefined;
  return schemaIn(prompt) ?? (/\bvalid JSON\b[^.]{0,40}\bnothing else\b/i.test(prompt) ? anyObject : undefined);
}

function schemaIn(prompt: string): unknown {
  let found: unknown;
  let at = prompt.indexOf("{");
  for (let tries = 0; at >= 0 && tries < maxTries; tries++) {
    const length = lengthOfObject(prompt.slice(at, at + maxCharacters));
    const schema = length === undefined ? undefined : objectOf(prompt.slice(at, at + length));
    if (schema !== undefined && "properties" in schema && /json/i.test(prompt.slice(Math.max(0, at - wordsBefore), at)))
      found = schema;
    at = prompt.indexOf("{", at + (schema === undefined ? 1 : (length ?? 1)));
  }
  return found;
}

/** Up to the brace that closes the first one; those within strings count for nothing. */
function lengthOfObject(text: string): number | undefined {
  const marks = /"(?:[^"\\]|\\.)*"|[{}]/gs;
  let depth = 0;
  for (const { 0: mark, index } of text.matchAll(marks)) {
    if (mark === "{") depth++;
    else if (mark === "}" && --depth === 0) return index + 1;
  }
  return undefined;
}

function objectOf(text: string): object | undefined {
  try {
    return JSON.parse(text) as object;
  } catch {
    return undefined;
  }
}
