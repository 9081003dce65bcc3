import { describe, expect, it } from "vitest";
import { converse } from "./converse.ts";
import { claude } from "./families/claude.ts";
import { formatInWords } from "./format-in-words.ts";

const schema = {
  title: "City",
  type: "object",
  properties: { name: { type: "string", pattern: '^[^{"]' }, population: { type: "integer" } },
};
const stated = JSON.stringify(schema, undefined, 2);
/** As Instructor and Pydantic AI say it where they are not to use a tool. */
const inInstructor = `provide\n the parsed objects in json that match the following json_schema:\n\n${stated}\n\nMake sure to return an instance of the JSON, not the schema itself\n`;
const inPydantic = `Always respond with a JSON object that's compatible with this schema:\n\n${JSON.stringify(schema)}\n\nDon't include any text or Markdown fencing before or after.`;
const format = (system: string, text = "Paris?") =>
  formatInWords({ system, messages: [{ role: "user", content: [{ text }] }], tools: [], model: "m" });

describe("the form of an answer that is asked for in words", () => {
  it("is the schema that stands behind a word of JSON, in the prompt or the question", () => {
    for (const words of [inInstructor, inPydantic]) {
      expect(format(words)).toEqual(schema);
      expect(format("", words)).toEqual(schema);
    }
    expect(format(`As JSON, {"foo": ["bar"]} is an instance of {"properties": {"foo": {}}}.\n${inPydantic}`)).toEqual(
      schema,
    );
  });

  it("is any object where only JSON is wanted", () => {
    expect(format("Answer with one valid JSON value and nothing else: no prose around it.")).toMatchObject({
      type: "object",
    });
  });

  it.each(["", "Explain JSON.", `A schema: ${stated}`, "Write JSON: {not, {any", `JSON: {"a": 1}`, "{".repeat(99)])(
    "is not meant by %j",
    (words) => expect(format(words)).toBeUndefined(),
  );

  it("is kept to in Converse and in Claude's own protocol", () => {
    const context = { model: "us.anthropic.claude-sonnet-4-6", rules: [], guarded: false, betas: [] };
    const asked = [{ role: "user", content: [{ type: "text", text: "Paris?" }] }];
    const own = claude(
      { anthropic_version: "bedrock-2023-05-31", max_tokens: 500, system: inPydantic, messages: asked },
      context,
    );
    const texts = [{ role: "user", content: [{ text: "Paris?" }] }];
    const common = converse(
      { system: [{ text: inPydantic }], messages: texts },
      { ...context, model: "amazon.nova-lite-v1:0" },
    );
    const said = expect.stringMatching(/^{"name":"This is the sandbox's stand-in.*,"population":0}$/);
    expect(own.json()).toMatchObject({ content: [{ text: said }] });
    expect(common.json()).toMatchObject({ output: { message: { content: [{ text: said }] } } });
  });
});
