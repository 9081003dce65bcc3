import { describe, expect, it } from "vitest";
import type { JsonObject } from "../body.ts";
import { responsesConversation } from "./request.ts";

const convert = (fields: JsonObject) => responsesConversation({ model: "m", input: "Hi", ...fields });
const refusal = (fields: JsonObject): unknown => {
  try {
    return convert(fields);
  } catch (error) {
    return error;
  }
};
const namespace = {
  type: "namespace",
  name: "shop",
  description: "A shop.",
  tools: [{ type: "function", name: "buy", parameters: { type: "object" } }],
};

describe("a request of the Responses API", () => {
  it("thinks with effort, in the standard mode", () => {
    const reasoning = { effort: "low", mode: "standard", summary: "auto", context: "all_turns" };
    expect(convert({ reasoning }).wishes).toEqual({ reasoningEffort: "low" });
    expect(refusal({ reasoning: { mode: "pro" } })).toMatchObject({ code: "unsupported", param: "reasoning.mode" });
  });

  it("wants something to answer", () => {
    const empty = { type: "message", role: "user", content: [] };
    for (const input of ["", [], [empty]])
      expect(refusal({ input, tools: [namespace] })).toMatchObject({ code: "invalid_request", param: "input" });
  });

  it("is asked as a user's where it is a system prompt alone", () => {
    const input = [{ role: "developer", content: "Tell a joke." }];
    expect(convert({ instructions: "Be brief.", input, tools: [namespace] })).toMatchObject({
      system: [{ text: "Tools named shop__…: A shop." }],
      messages: [{ role: "user", content: [{ text: "Be brief." }, { text: "Tell a joke." }] }],
    });
  });

  it.each([
    [{ type: "input_image", file_id: "file_1" }],
    [{ type: "input_image", image_url: "https://example.com/a.png" }],
    [{ type: "input_file", file_id: "file_1" }],
    [{ type: "input_file", file_url: "https://example.com/a.pdf" }],
    [{ type: "input_file", filename: "a.pdf", file_data: "JVBERi0=" }],
    [{ type: "input_file", filename: "a.zip", file_data: "data:application/zip;base64,AA==" }],
    [{ type: "input_audio", input_audio: {} }],
  ])("drops no part in silence, of a message or of a result: %j", (part) => {
    const result = { type: "function_call_output", call_id: "c1", output: [part] };
    for (const item of [{ role: "user", content: [part] }, result])
      expect(refusal({ input: [item] })).toMatchObject({
        code: "unsupported",
        param: expect.stringMatching(/^input\[0\]/),
      });
  });

  it("keeps its own instructions before those of the history", () => {
    const input = [
      { role: "developer", content: "Be brief." },
      { role: "user", content: "Hi" },
      { type: "message", role: "system", content: [{ type: "input_text", text: "Be kind." }] },
    ];
    const { system, messages } = convert({ instructions: "You are Bob.", input });
    expect(system).toEqual([{ text: "You are Bob." }, { text: "Be brief." }, { text: "Be kind." }]);
    expect(messages).toEqual([{ role: "user", content: [{ text: "Hi" }] }]);
  });
});
