import { expect, test } from "vitest";
import { estimateTokens } from "./estimate.ts";

const picture = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7919) % 251)).toString("base64");

test.each([
  ["Anthropic's source", { source: { type: "base64", media_type: "image/png", data: picture } }],
  ["OpenAI's URL", { image_url: { url: `data:image/png;base64,${picture}` } }],
  ["Responses' URL", { image_url: `data:image/png;base64,${picture}` }],
  ["a file", { file: { file_data: `data:application/pdf;base64,${picture}` } }],
  ["a file in lines", { data: picture.replace(/.{76}/g, "$&\r\n") }],
  ["Bedrock's bytes", { source: { bytes: Buffer.from(picture, "base64").toString("base64url") } }],
  ["pictures in a list", { images: [picture] }],
])("%s counts as one picture", (_, body) => {
  const tokens = estimateTokens([{ role: "user", content: [{ type: "text", text: "What is it?" }, body] }]);
  expect(tokens).toBeGreaterThan(1600);
  expect(tokens).toBeLessThan(1700);
});

test.each([
  ["Japanese", "日本".repeat(50_000)],
  ["words with nothing between them", "word".repeat(25_000)],
  ["words with a sign between them that base64 has", "word/".repeat(20_000)],
  ["words after what looks like a URL", `data:text/plain,${"word".repeat(25_000)}`],
])("%s are text, and count by their length", (_, text) => {
  for (const body of [
    text,
    [text],
    [{ content: text }],
    [{ content: [{ text }] }],
    { source: { type: "text", data: text } },
  ])
    expect(estimateTokens(body)).toBeGreaterThanOrEqual(25_000);
});

test.each([
  ["an input of a call", { type: "tool_use", id: "c", name: "save", input: { data: picture } }],
  ["an input of a call in Converse", { toolUse: { toolUseId: "c", input: { file: [{ bytes: picture }] } } }],
  ["a result of Converse's", { toolResult: { content: [{ json: { data: picture } }] } }],
  ["a tool's schema", { input_schema: { properties: { a: { description: picture } } } }],
  ["a function's schema", { function: { parameters: { properties: { a: { enum: [picture] } } } } }],
  ["a tool's description", { name: "t", description: picture }],
  ["a search result", { searchResult: { title: picture, source: picture, content: [{ text: "a" }] } }],
  ["a document's context", { document: { context: picture } }],
  ["a refusal", { role: "assistant", refusal: picture }],
])("models read %s letter by letter, whatever it holds", (_, body) => {
  expect(estimateTokens(body)).toBeGreaterThanOrEqual(picture.length / 4);
});

test("what is no base64 is text wherever it stands", () => {
  expect(estimateTokens({ data: "日本".repeat(50_000) })).toBeGreaterThanOrEqual(25_000);
  expect(estimateTokens({ url: `data:text/plain,${"日本".repeat(50_000)}` })).toBeGreaterThanOrEqual(25_000);
});

test("what lies deep counts too, however deep", () => {
  let body: unknown = { text: "x".repeat(100_000) };
  for (let depth = 0; depth < 100_000; depth += 1) body = depth % 2 === 0 ? [body] : { item: body };
  expect(estimateTokens(body)).toBeGreaterThanOrEqual(125_000);
});
