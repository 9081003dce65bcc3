import { zodFunction, zodResponseFormat } from "openai/helpers/zod";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { messagesConversation } from "../../dialects/anthropic/request.ts";
import { converseConversation } from "../../dialects/bedrock/request.ts";
import type { JsonObject } from "../../dialects/body.ts";
import type { Conversation } from "../../dialects/conversation.ts";
import { responsesConversation } from "../../dialects/openai-responses/request.ts";
import { messagesBody } from "../anthropic/request.ts";
import { chatBody } from "./request.ts";
import { takesStrict } from "./strict-schema.ts";

const text = { type: "string" };
const loose = { type: "object", properties: { a: text, b: text }, required: ["a"], additionalProperties: false };
const closed = { ...loose, required: ["a", "b"] };

const sent = (conversation: Conversation): { response_format: { json_schema: JsonObject }; tools: unknown[] } =>
  JSON.parse(chatBody(conversation, { model: "m", stream: false, limitName: "max_tokens", drops: false }));
const formatOf = (conversation: Conversation): JsonObject => sent(conversation).response_format.json_schema;

const responses = (format: object, more: object = {}): Conversation =>
  responsesConversation({ input: "q", text: { format: { type: "json_schema", ...format } }, ...more });
const messages = (more: object): Conversation =>
  messagesConversation({ messages: [{ role: "user", content: "q" }], ...more });
const converse = (more: object): Conversation =>
  converseConversation({ messages: [{ role: "user", content: [{ text: "q" }] }], ...more });
const textFormat = (jsonSchema: object) => ({
  outputConfig: { textFormat: { type: "json_schema", structure: { jsonSchema } } },
});

describe("the schema of an answer", () => {
  const range = { ...closed, properties: { a: { type: "integer", minimum: 1 }, b: text } };

  it("is as strict as a client of OpenAI's says, and its own", () => {
    expect(formatOf(responses({ name: "n", description: "d", schema: loose, strict: false }))).toEqual({
      name: "n",
      description: "d",
      schema: loose,
      strict: false,
    });
    expect(formatOf(responses({ name: "n", schema: loose }))).toEqual({ name: "n", schema: loose, strict: false });
    expect(formatOf(responses({ name: "n", schema: range, strict: true }))).toEqual({
      name: "n",
      schema: range,
      strict: true,
    });
  });

  it.each([
    [closed, true],
    [loose, false],
  ])("is strict for clients who cannot say it where OpenAI takes it so: %j", (schema, strict) => {
    const said = { name: "spot", description: "Where.", schema: JSON.stringify(schema) };
    expect(formatOf(converse(textFormat(said)))).toEqual({ name: "spot", description: "Where.", schema, strict });
    const output_config = { format: { type: "json_schema", schema } };
    expect(formatOf(messages({ output_config }))).toEqual({ name: "answer", schema, strict });
  });

  it("says to Anthropic, which has no field for it, what it is for", () => {
    const said = { description: "Where.", schema: JSON.stringify(closed) };
    const { output_config } = JSON.parse(messagesBody(converse(textFormat(said)), "claude-opus-4-5", false));
    expect(output_config.format).toEqual({ type: "json_schema", schema: { ...closed, description: "Where." } });
  });
});

describe("a strict tool", () => {
  it.each([
    [closed, true],
    [loose, false],
  ])("is so where OpenAI takes it so, else its schema is told: %j", (schema, strict) => {
    const one = [{ type: "function", function: { name: "look", parameters: schema, strict } }];
    expect(sent(messages({ tools: [{ name: "look", input_schema: schema, strict: true }] })).tools).toEqual(one);
    const toolSpec = { name: "look", inputSchema: { json: schema }, strict: true };
    expect(sent(converse({ toolConfig: { tools: [{ toolSpec }] } })).tools).toEqual(one);
  });
});

const nested = (inner: unknown): JsonObject => ({ ...closed, properties: { a: inner, b: text } });
let deep: JsonObject = closed;
for (let level = 0; level < 5000; level += 1) deep = nested(deep);

describe("what OpenAI takes as strict", () => {
  const person = z.object({
    age: z.number().int().min(1).nullable(),
    mail: z.email(),
    tags: z.array(z.object({ is: z.enum(["cat", "dog"]) })),
    kind: z.union([z.object({ is: z.literal("cat") }), z.string()]),
  });

  it("is what its own helpers write", () => {
    const { schema } = zodResponseFormat(person, "person").json_schema;
    expect(schema).toBeDefined();
    expect(takesStrict(schema ?? {})).toBe(true);
    expect(takesStrict(zodFunction({ name: "add", parameters: person }).function.parameters ?? {})).toBe(true);
  });

  it.each<[string, JsonObject]>([
    ["definitions", { ...nested({ $ref: "#/$defs/n" }), $defs: { n: closed } }],
    ["no properties", { type: "object", properties: {}, required: [], additionalProperties: false }],
  ])("is %s", (_, schema) => {
    expect(takesStrict(schema)).toBe(true);
  });

  it.each<[string, JsonObject]>([
    ["nothing", {}],
    ["an open object", { ...closed, additionalProperties: true }],
    ["an object that does not say so", { ...closed, additionalProperties: undefined }],
    ["an optional property", loose],
    ["an optional property further in", nested(loose)],
    ["one in a list", nested({ type: "array", items: loose })],
    ["one of several", nested({ anyOf: [text, loose] })],
    ["one of two types", nested({ ...loose, type: ["object", "null"] })],
    ["one by definition", { ...nested({ $ref: "#/$defs/n" }), $defs: { n: loose } }],
    ["anything at all", nested({})],
    ["a list of anything", nested({ type: "array" })],
    ["a keyword it does not know", nested({ type: "string", minLength: 2 })],
    ["a union at the top", { ...closed, anyOf: [closed] }],
    ["a list at the top", { type: "array", items: closed }],
    ["words beside a reference", nested({ $ref: "#/$defs/n", description: "d" })],
    ["another format", nested({ type: "string", format: "int32" })],
    ["no schema", nested(null)],
    ["nesting beyond its bound", deep],
  ])("is not %s", (_, schema) => {
    expect(takesStrict(schema)).toBe(false);
  });
});
