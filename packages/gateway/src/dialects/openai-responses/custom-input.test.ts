import { describe, expect, it } from "vitest";
import { createInputReader, customInput } from "./custom-input.ts";

const texts = ['say "hi"\n\t\\ done', "a😀b", "é \u2028 /", "", "{}"];

/** As models write it, and with everything escaped that can be. */
const written = (text: string): string[] => {
  const escaped = text.replace(/[^ ]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
  const astral = escaped.replace(/\\u(d83d|de00)/g, (all) => all.toUpperCase().replace("\\U", "\\u"));
  return [JSON.stringify({ input: text }), ` { "input" : "${escaped}" } `, `{"input":"${astral}"}`];
};

describe("a custom tool's text, out of its JSON", () => {
  it.each(texts)("is read from pieces cut anywhere: %j", (text) => {
    for (const json of written(text)) {
      for (let size = 1; size <= json.length; size += 1) {
        const read = createInputReader();
        const told: string[] = [];
        for (let at = 0; at < json.length; at += size) told.push(read(json.slice(at, at + size)));
        expect(told.join("")).toBe(text);
        // A client that joins bytes instead of UTF-16 could not repair half a character.
        for (const piece of told) expect(piece.isWellFormed() || !json.includes("\\u")).toBe(true);
      }
      expect(customInput(json)).toBe(text);
    }
  });

  it.each(['{"code":"x"}', '"x"', '{"input":{"a":1}}', "plain"])("is all there is of %s", (json) => {
    expect(customInput(json)).toBe(json);
  });

  it("ends where the model was cut off", () => {
    expect(customInput('{"input":"one\\ntw\\')).toBe("one\ntw");
  });

  it("tells nothing of what begins in another way", () => {
    const read = createInputReader();
    expect(read('{"code":"x",')).toBe("");
    expect(read(`"more":"${"y".repeat(300)}"`)).toBe("");
    expect(read('{"input":"late"}')).toBe("");
  });

  it.each(["\\x", "\\ud83d…", "\\u12"])("holds nothing behind %s, which no piece makes whole", (never) => {
    const read = createInputReader();
    expect(read(`{"input":"one${never}`)).toBe("one");
    const begun = performance.now();
    for (let piece = 0; piece < 32_000; piece += 1) expect(read("z".repeat(100))).toBe("");
    expect(performance.now() - begun).toBeLessThan(2_000);
  });
});
