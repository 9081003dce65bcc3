import { expect, test } from "vitest";
import { createCompactParser } from "./compact.ts";
import { encode } from "./fixtures/forge.ts";

const token = (kid: string): string =>
  [encode({ alg: "RS256", kid }), encode({ sub: "alice" }), encode({ signature: "none" })].join(".");

test("headers are remembered by their text, and only so many: strangers choose them", () => {
  const parse = createCompactParser();
  const { header } = parse(token("ours"));
  expect(parse(token("ours")).header).toBe(header);
  for (let index = 0; index < 64; index += 1) parse(token(`theirs-${index}`));
  expect(parse(token("ours")).header).not.toBe(header);
  expect(parse(token("ours")).header).toEqual(header);
});
