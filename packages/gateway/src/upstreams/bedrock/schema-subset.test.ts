import { zodFunction, zodResponseFormat } from "openai/helpers/zod";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { isObject, type JsonObject } from "../../dialects/body.ts";
import { chatConversation } from "../../dialects/openai-chat/request.ts";
import { schemaSubset, withinSubset } from "./schema-subset.ts";

const conversation = (fields: object) =>
  withinSubset(chatConversation({ model: "m", messages: [{ role: "user", content: "Hi" }], ...fields }));

const person = z.object({
  age: z.number().int().describe("In years."),
  score: z.number().min(1).max(5).describe("How well."),
  name: z
    .string()
    .min(2)
    .regex(/^[A-Z]/),
  mail: z.email().nullable(),
  tags: z.array(z.string()).min(2),
  kind: z.discriminatedUnion("is", [z.object({ is: z.literal("cat") }), z.object({ is: z.literal("dog") })]),
});
const subset = {
  type: "object",
  properties: {
    age: { type: "integer", description: "In years." },
    score: { type: "number", description: "How well.\n\n{minimum: 1, maximum: 5}" },
    name: { type: "string", description: '{minLength: 2, pattern: "^[A-Z]"}' },
    mail: { anyOf: [{ type: "string", format: "email" }, { type: "null" }] },
    tags: { type: "array", items: { type: "string" }, description: "{minItems: 2}" },
    kind: { anyOf: ["cat", "dog"].map(kind) },
  },
  required: ["age", "score", "name", "mail", "tags", "kind"],
  additionalProperties: false,
};

function kind(is: string) {
  return {
    type: "object",
    properties: { is: { type: "string", const: is } },
    required: ["is"],
    additionalProperties: false,
  };
}

describe("a schema as OpenAI's own helper writes it is one that Bedrock takes", () => {
  it("as the format of the answer", () => {
    const { outputFormat } = conversation({ response_format: zodResponseFormat(person, "person") });
    expect(outputFormat).toEqual({ type: "json_schema", name: "person", schema: subset, strict: true });
  });

  it("as a format that is not strict: Bedrock holds the model to any", () => {
    const { json_schema } = zodResponseFormat(person, "person");
    const response_format = { type: "json_schema", json_schema: { ...json_schema, strict: false } };
    expect(conversation({ response_format }).outputFormat).toMatchObject({ schema: subset });
  });

  it("as a strict tool's", () => {
    const [tool] = conversation({ tools: [zodFunction({ name: "add", parameters: person })] }).tools;
    expect(tool).toEqual({ toolSpec: { name: "add", inputSchema: { json: subset }, strict: true } });
  });

  it("but a tool that is not strict keeps its own", () => {
    const parameters = { type: "object", properties: { age: { type: "integer", minimum: 1 } } };
    const [tool] = conversation({ tools: [{ type: "function", function: { name: "add", parameters } }] }).tools;
    expect(tool).toEqual({ toolSpec: { name: "add", inputSchema: { json: parameters } } });
  });
});

it.each<[string, JsonObject, JsonObject]>([
  ["objects are closed", { type: "object", properties: {} }, { additionalProperties: false }],
  ["but not one of any properties, which would be empty then", { type: "object" }, { additionalProperties: undefined }],
  ["an open one stays so, to be refused", { type: "object", properties: {}, additionalProperties: true }, {}],
  ["one element or none may be asked for", { type: "array", minItems: 1 }, {}],
  ["lists are looked into", { items: { maxLength: 3 } }, { items: { description: "{maxLength: 3}" } }],
  ["a list of schemas is beyond", { items: [{}] }, { items: undefined, description: "{items: [{}]}" }],
  ["both unions stay apart", { anyOf: [{}], oneOf: [{}] }, { anyOf: [{}], oneOf: [{}] }],
  ["formats of other languages", { format: "int32" }, { format: undefined, description: '{format: "int32"}' }],
  ["bounds that say something", { minimum: 0 }, { minimum: undefined, description: "{minimum: 0}" }],
  [
    "a property may have a keyword's name",
    { properties: { minimum: {}, $schema: {} } },
    { additionalProperties: false },
  ],
])("%s", (_, schema, made) => {
  expect(schemaSubset(schema)).toEqual({ ...schema, ...made });
});

it("definitions are looked into, also of a schema that is a reference itself", () => {
  const definition = { type: "object", properties: { next: { $ref: "#/$defs/node", description: "On." } } };
  const node = { type: "object", properties: { next: { $ref: "#/$defs/node" } }, additionalProperties: false };
  expect(schemaSubset({ $ref: "#/$defs/node", $defs: { node: definition } })).toEqual({
    $ref: "#/$defs/node",
    $defs: { node },
  });
});

it("is not led astray by what a schema should not hold", () => {
  const hostile = JSON.parse(
    '{"properties":{"__proto__":{"maxLength":3}},"allOf":[true,7],"$defs":null}',
  ) as JsonObject;
  const { properties, allOf, description } = schemaSubset(hostile);
  expect(isObject(properties) && Object.keys(properties)).toEqual(["__proto__"]);
  expect(allOf).toEqual([true, 7]);
  expect(description).toBe("{$defs: null}");
  let deep: JsonObject = {};
  for (let level = 0; level < 5000; level += 1) deep = { items: deep };
  expect(schemaSubset(deep)).toHaveProperty("items.items.items");
});
