import { type Contestant, eventsPerStream, type Kind } from "./contestants.ts";

/**
 * Asks once and looks at the answer itself, for load tools only count.
 * @returns the bytes of a whole answer, heads not counted
 * @throws Error when the answer is not the one the provider gives
 */
export async function probe({ name, ask }: Contestant, kind: "json" | "stream"): Promise<number> {
  const { url, headers, body } = ask(kind);
  const response = await fetch(url, { method: "POST", headers, body });
  const text = await response.text();
  const problem = response.status === 200 ? problemOf(kind, text) : `status ${response.status}`;
  if (problem !== undefined) throw new Error(`${name}, ${kind}: ${problem}: ${text.slice(0, 300)}`);
  return Buffer.byteLength(text);
}

const words = { json: "The quick brown fox", stream: "fox jumps " } as const satisfies Partial<Record<Kind, string>>;

function problemOf(kind: "json" | "stream", text: string): string | undefined {
  const found = text.split(words[kind]).length - 1;
  if (kind === "json") return found > 0 ? undefined : "not the provider's answer";
  return found === eventsPerStream ? undefined : `${found} of ${eventsPerStream} events`;
}
