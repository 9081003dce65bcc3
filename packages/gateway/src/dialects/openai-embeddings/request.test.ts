import { readFileSync } from "node:fs";
import { join } from "node:path";
import type OpenAI from "openai";
import { expect, it } from "vitest";
import { openaiEmbeddings } from "./index.ts";
import { embeddingRequest } from "./request.ts";

/** The type makes it whole: a field that a newer SDK brings does not compile until it is decided upon. */
const fields: Record<keyof OpenAI.EmbeddingCreateParams, "mapped" | "ignored"> = {
  model: "mapped",
  input: "mapped",
  dimensions: "mapped",
  encoding_format: "mapped",
  user: "ignored",
};

it("docs/fields.md names every field of the SDK's types, as it is", () => {
  const page = readFileSync(join(import.meta.dirname, "../../../../../docs/fields.md"), "utf8");
  const section = page.split(/^## /m).find((part) => part.startsWith("OpenAI embeddings\n")) ?? "";
  const rows = [...section.matchAll(/^\| `([a-z_]+)` \| ([a-z]+) \|/gm)].map(([, field, what]) => [field, what]);
  expect(Object.fromEntries(rows)).toEqual(fields);
});

it("null and fields nobody knows change nothing", () => {
  const plain = embeddingRequest({ model: "m", input: "Hi" });
  const rest = { dimensions: null, encoding_format: null, input_type: null, user: null, brand_new: { x: 1 } };
  expect(embeddingRequest({ model: "m", input: "Hi", ...rest })).toEqual(plain);
  expect(plain).toEqual({ texts: ["Hi"], encoding: "float", dimensions: undefined, inputType: undefined });
});

it.each([
  [{ input: Array.from({ length: 2049 }, () => "a") }, "input"],
  [{ input: { text: "a" } }, "input"],
  [{ input: [[1, 2]] }, "input"],
  [{ input: "a", encoding_format: "int8" }, "encoding_format"],
  [{ input: "a", dimensions: 0 }, "dimensions"],
])("case %#: what cannot be is refused by name", (body, param) => {
  expect(() => embeddingRequest({ model: "m", ...body })).toThrow(expect.objectContaining({ status: 400, param }));
});

it.each([
  ["words of a text here", 5],
  [["a text", "a text"], 4],
  [Array.from({ length: 8191 }, (_, index) => index), 8191],
  [[Array(5000).fill(1), Array(3000).fill(2)], 8000],
])("case %#: tokens that come as numbers are reserved like those of a text", (input, tokens) => {
  const body = Buffer.from(JSON.stringify({ model: "m", input }));
  const call = openaiEmbeddings.parse({ path: "/v1/embeddings", params: {}, headers: new Headers(), body });
  expect(call.estimate.inputTokens).toBe(tokens);
});
