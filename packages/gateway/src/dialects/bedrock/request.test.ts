import { describe, expect, it } from "vitest";
import { messagesBody } from "../../upstreams/anthropic/request.ts";
import { chatBody } from "../../upstreams/openai/request.ts";
import type { JsonObject } from "../body.ts";
import { converseConversation } from "./request.ts";

const question = { role: "user", content: [{ text: "q" }] };
const bytes = Buffer.from("Bob is a cät").toString("base64");
const source = { bytes };

const toOpenai = (body: JsonObject): JsonObject =>
  JSON.parse(
    chatBody(converseConversation({ messages: [question], ...body }), {
      model: "m",
      stream: false,
      limitName: "max_tokens",
      drops: false,
    }),
  );
const toAnthropic = (body: JsonObject, model = "claude-sonnet-4-5"): JsonObject =>
  JSON.parse(messagesBody(converseConversation({ messages: [question], ...body }), model, false));
const user = (...content: unknown[]): JsonObject => ({ messages: [{ role: "user", content }] });
const result = (...content: unknown[]): JsonObject => user({ toolResult: { toolUseId: "c1", content } });
const schemaOf = (schema: unknown, more: object = {}): JsonObject => ({
  outputConfig: { textFormat: { type: "json_schema", structure: { jsonSchema: { schema, ...more } } } },
});
const first = (body: JsonObject): unknown => (body.messages as { content: unknown }[])[0]?.content;

describe("what other providers have words for reaches them", () => {
  it("the user's own words, though they are marked for a guardrail", () => {
    const marked = { guardContent: { text: { text: "Is it safe?", qualifiers: ["query"] } } };
    const picture = { guardContent: { image: { format: "png", source } } };
    expect(first(toOpenai(user(marked, picture)))).toEqual([
      { type: "text", text: "Is it safe?" },
      { type: "image_url", image_url: { url: `data:image/png;base64,${bytes}` } },
    ]);
    expect(first(toAnthropic(user(marked)))).toEqual([{ type: "text", text: "Is it safe?" }]);
    expect(toOpenai({ system: [{ text: "Be brief." }, marked] }).messages).toEqual([
      { role: "system", content: "Be brief.\n\nIs it safe?" },
      { role: "user", content: "q" },
    ]);
    expect(toAnthropic({ system: [marked] }).system).toEqual([{ type: "text", text: "Is it safe?" }]);
  });

  it("a message of the system's is no user's: it joins the system prompt", () => {
    const messages = [question, { role: "system", content: [{ text: "Speak French." }] }, question];
    expect(toOpenai({ system: [{ text: "Be brief." }], messages }).messages).toEqual([
      { role: "system", content: "Be brief.\n\nSpeak French." },
      {
        role: "user",
        content: [
          { type: "text", text: "q" },
          { type: "text", text: "q" },
        ],
      },
    ]);
    expect(toAnthropic({ messages }).system).toEqual([{ type: "text", text: "Speak French." }]);
  });

  it("that a call failed, in a word before its result where there is no place for it", () => {
    const failed = user({ toolResult: { toolUseId: "c1", status: "error", content: [{ text: "no such file" }] } });
    expect(toOpenai(failed).messages).toEqual([{ role: "tool", tool_call_id: "c1", content: "Error: no such file" }]);
    expect(first(toAnthropic(failed))).toMatchObject([{ is_error: true, content: [{ text: "no such file" }] }]);
    const fine = user({ toolResult: { toolUseId: "c1", status: "success", content: [{ text: "stars" }] } });
    expect(toOpenai(fine).messages).toMatchObject([{ content: "stars" }]);
  });

  it("a file of text without a format is a text", () => {
    const plain = { document: { name: "n", source: { text: "Bob is a cat" } } };
    expect(first(toOpenai(user(plain)))).toBe("n.txt:\n\nBob is a cat");
    expect(first(toAnthropic(user(plain)))).toMatchObject([{ title: "n", source: { data: "Bob is a cat" } }]);
    const parts = { document: { name: "n", source: { content: [{ text: "Bob" }, { text: "is a cat" }] } } };
    expect(first(toOpenai(user(parts)))).toBe("n.txt:\n\nBob\nis a cat");
    expect(first(toAnthropic(user(parts)))).toMatchObject([
      { source: { type: "content", content: [{ text: "Bob" }, { text: "is a cat" }] } },
    ]);
    const named = { document: { format: "pdf", name: "n", source: { text: "Bob is a cat" } } };
    expect(first(toAnthropic(user(named)))).toMatchObject([{ source: { type: "text", data: "Bob is a cat" } }]);
  });

  it("what is said of a file, and that it is to be cited", () => {
    const document = { format: "txt", name: "n", source, context: "From 1990." };
    expect(first(toOpenai(user({ document })))).toEqual([
      { type: "text", text: "About n.txt: From 1990." },
      { type: "text", text: "n.txt:\n\nBob is a cät" },
    ]);
    const cited = { document: { ...document, citations: { enabled: true } } };
    expect(first(toAnthropic(user(cited)))).toMatchObject([{ context: "From 1990.", citations: { enabled: true } }]);
  });

  it("what a search found", () => {
    const searchResult = { source: "https://cats.example", title: "Cats", content: [{ text: "Bob is one." }] };
    const said = "Cats (https://cats.example):\n\nBob is one.";
    expect(first(toOpenai(user({ searchResult })))).toBe(said);
    expect(first(toOpenai(result({ searchResult })))).toBe(said);
    const block = { type: "search_result", ...searchResult, content: [{ type: "text", text: "Bob is one." }] };
    expect(first(toAnthropic(user({ searchResult })))).toEqual([block]);
    expect(first(toAnthropic(result({ searchResult })))).toMatchObject([{ content: [block] }]);
  });

  it("an earlier answer that cited", () => {
    const citationsContent = { content: [{ text: "Bob " }, { text: "is." }], citations: [{ title: "n" }] };
    const messages = [question, { role: "assistant", content: [{ citationsContent }] }, question];
    expect(toOpenai({ messages }).messages).toMatchObject([{}, { role: "assistant", content: "Bob is." }, {}]);
    expect(toAnthropic({ messages }).messages).toMatchObject([
      {},
      { content: [{ type: "text", text: "Bob is." }] },
      {},
    ]);
  });

  it("an effort, which changes the answer", () => {
    expect(toOpenai({ outputConfig: { effort: "low" } }).reasoning_effort).toBe("low");
    expect(toAnthropic({ outputConfig: { effort: "low" } }, "claude-opus-5-5").output_config).toEqual({
      effort: "low",
    });
  });

  it("limits, and no list of stop texts that is empty", () => {
    const inferenceConfig = { maxTokens: 5, temperature: 0, topP: 0.5, stopSequences: ["END"] };
    expect(toOpenai({ inferenceConfig })).toMatchObject({ max_tokens: 5, temperature: 0, top_p: 0.5, stop: ["END"] });
    expect(toOpenai({ inferenceConfig: { stopSequences: [] } })).not.toHaveProperty("stop");
    expect(toAnthropic({ inferenceConfig: { stopSequences: [] } })).not.toHaveProperty("stop_sequences");
  });
});

it.each([
  // LiteLLM sends these with every request.
  { additionalModelRequestFields: {}, system: [], inferenceConfig: {} },
  // The Vercel AI SDK sends this to every Claude.
  { additionalModelResponseFieldPaths: ["/delta/stop_sequence"] },
  { promptVariables: { name: { text: "Bob" } } },
])("what asks for nothing of a model is no reason to refuse it: %j", (body) => {
  expect(toOpenai(body)).toEqual(toOpenai({}));
  expect(toAnthropic(body)).toEqual(toAnthropic({}));
});

const at = "messages[0].content[0]";
const textFormat = "outputConfig.textFormat.structure.jsonSchema.schema";
const spec = (toolSpec: unknown): JsonObject => ({ toolConfig: { tools: [{ toolSpec }] } });
const tools = [{ toolSpec: { name: "look", inputSchema: { json: { type: "object" } } } }];

describe("is refused by its path", () => {
  it.each<[string, JsonObject]>([
    // There are no words for it.
    [`${at}.audio`, user({ audio: { format: "mp3", source } })],
    [`${at}.video`, user({ video: { format: "mp4", source } })],
    [`${at}.toolAddition`, user({ toolAddition: { tool: { name: "look" } } })],
    [`${at}.toolRemoval`, user({ toolRemoval: { tool: { name: "look" } } })],
    [`${at}.constructor`, user({ constructor: {} })],
    [`${at}.toolUse`, user({ toolUse: { toolUseId: "c1", name: "look", input: {} } })],
    [`${at}.image`, { messages: [{ role: "assistant", content: [{ image: { format: "png", source } }] }] }],
    [`${at}.toolResult.content[1].video`, result({ text: "a" }, { video: { format: "mp4", source } })],
    [`${at}.toolResult.type`, user({ toolResult: { toolUseId: "c1", content: [], type: "x" } })],
    [
      `${at}.toolUse.type`,
      {
        messages: [
          { role: "assistant", content: [{ toolUse: { toolUseId: "c", name: "l", type: "server_tool_use" } }] },
        ],
      },
    ],
    [`${at}.image.source.s3Location`, user({ image: { format: "png", source: { s3Location: { uri: "s3://b/k" } } } })],
    ["system[0].guardContent.image", { system: [{ guardContent: { image: { format: "png", source } } }] }],
    [
      "toolConfig.tools[1].systemTool",
      { toolConfig: { tools: [...tools, { systemTool: { name: "nova_grounding" } }] } },
    ],
    ["toolConfig.toolChoice.none", { toolConfig: { tools, toolChoice: { none: {} } } }],
    ["serviceTier.type", { serviceTier: { type: "reserved" } }],
    ["outputConfig.textFormat.type", { outputConfig: { textFormat: { type: "xml" } } }],
    // It is not what it should be.
    ["messages", { messages: "x" }],
    ["messages[0]", { messages: ["x"] }],
    ["messages[0].role", { messages: [{ role: "tool", content: [{ text: "q" }] }] }],
    ["messages[0].content", { messages: [{ role: "user" }] }],
    ["messages[0].content", { messages: [{ role: "user", content: "x" }] }],
    ["messages[0].content", { messages: [{ role: "user", content: [] }] }],
    [at, user("x")],
    [at, user({})],
    [at, user({ text: "a", image: {} })],
    [`${at}.text`, user({ text: 5 })],
    [`${at}.image.format`, user({ image: { format: "tiff", source } })],
    [`${at}.document.format`, user({ document: { name: "n", source } })],
    [`${at}.document.name`, user({ document: { format: "txt", source } })],
    [`${at}.toolResult.content`, user({ toolResult: { toolUseId: "c1" } })],
    [`${at}.toolResult.status`, user({ toolResult: { toolUseId: "c1", content: [], status: "maybe" } })],
    ["system", { system: "Be brief." }],
    ["inferenceConfig.maxTokens", { inferenceConfig: { maxTokens: "5" } }],
    ["inferenceConfig.stopSequences", { inferenceConfig: { stopSequences: [5] } }],
    ["toolConfig.tools[0].toolSpec.inputSchema", spec({ name: "look" })],
    ["toolConfig.tools[0].toolSpec.inputSchema.json", spec({ name: "look", inputSchema: {} })],
    ["toolConfig.tools", { toolConfig: { tools: [] } }],
    [textFormat, schemaOf("{")],
    [textFormat, schemaOf("[]")],
    [textFormat, schemaOf({ type: "object" })],
  ])("%s: %j", (param, body) => {
    const refusal = expect.objectContaining({ name: "GatewayError", status: 400, param });
    expect(() => toOpenai(body)).toThrow(refusal);
    expect(() => toAnthropic(body)).toThrow(refusal);
  });

  it.each(["document", "searchResult"])("what is to be cited, where nothing is: %s", (kind) => {
    const common = { name: "n", title: "n", content: [{ text: "a" }] };
    const block = {
      [kind]: { ...common, source: kind === "document" ? { text: "a" } : "s", citations: { enabled: true } },
    };
    expect(() => toOpenai(user({ text: "q" }, block))).toThrow(
      expect.objectContaining({ code: "unsupported", param: `messages[0].content[1].${kind}.citations` }),
    );
    expect(() => toOpenai(result(block))).toThrow(
      expect.objectContaining({ param: `messages[0].content[0].toolResult.content[0].${kind}.citations` }),
    );
  });

  it.each<[string, JsonObject]>([
    ["serviceTier.type", { serviceTier: { type: "flex" } }],
    ["inferenceConfig.topP", { inferenceConfig: { topP: 0.5 } }],
    ["toolConfig.toolChoice", { toolConfig: { tools, toolChoice: { any: {} } } }],
    ["outputConfig.effort", { outputConfig: { effort: "constructor" } }],
  ])("what one model has no words for, by Converse's name: %s", (param, body) => {
    expect(() => toAnthropic(body, "claude-opus-5-5")).toThrow(expect.objectContaining({ code: "unsupported", param }));
  });
});
