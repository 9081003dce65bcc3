import { expect, it } from "vitest";
import { parsedObject, parseObject } from "./body.ts";

const nested = (levels: number): string => `${'{"a":['.repeat(levels / 2)}${"]}".repeat(levels / 2)}`;

it("a body may be nested as deeply as anyone means it, and no deeper", () => {
  expect(parseObject(Buffer.from(nested(512)))).toHaveProperty("a");
  for (const levels of [514, 200_000]) {
    const refusal = expect.objectContaining({ code: "invalid_request", status: 400 });
    expect(() => parseObject(Buffer.from(nested(levels)))).toThrow(refusal);
  }
});

it("nor may an object in a text", () => {
  expect(parsedObject(nested(512))).toHaveProperty("a");
  for (const text of [nested(514), nested(200_000), "", "{", "null", "[]", '"a"'])
    expect(parsedObject(text)).toBe(undefined);
});
