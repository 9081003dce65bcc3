import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { GatewayError } from "../errors.ts";
import { bedrockBetas } from "../upstreams/bedrock/claude-betas.ts";
import { claudeBody } from "../upstreams/bedrock/claude-body.ts";
import { messagesConversation } from "./anthropic/request.ts";
import { converseConversation } from "./bedrock/request.ts";
import type { JsonObject } from "./body.ts";
import type { Conversation } from "./conversation.ts";
import { chatConversation } from "./openai-chat/request.ts";
import { responsesConversation } from "./openai-responses/request.ts";

const page = readFileSync(join(import.meta.dirname, "../../../../docs/fields.md"), "utf8");

interface Row {
  readonly field: string;
  readonly what: string;
}

function table(heading: string): Row[] {
  const section = page.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? "";
  return [...section.matchAll(/^\| `([A-Za-z_]+)` \| (mapped|refused|ignored) \|/gm)].map(
    ([, field = "", what = ""]) => ({ field, what }),
  );
}

/** The members of an interface in an SDK's published types. */
function typed(sdk: string, file: string, name: string): string[] {
  const source = readFileSync(join(import.meta.dirname, "../../node_modules", sdk, file), "utf8");
  const body = source.slice(source.indexOf(`export interface ${name} {`));
  const end = body.search(/^}/m);
  return [...body.slice(0, end).matchAll(/^ {4}'?([a-zA-Z_-]+)'?\??:/gm)].map(([, field = ""]) => field);
}

interface Dialect {
  readonly heading: string;
  readonly convert: (body: JsonObject) => Conversation;
  readonly base: JsonObject;
  /** Fields the SDK has that are not a part of the body. */
  readonly fields: readonly string[];
  /** A value that would ask for something, for each field that is refused or ignored. */
  readonly values: Readonly<Record<string, unknown>>;
}

const dialects: readonly Dialect[] = [
  {
    heading: "OpenAI chat completions",
    convert: chatConversation,
    base: { model: "m", messages: [{ role: "user", content: "Hi" }] },
    fields: typed("openai", "resources/chat/completions/completions.d.ts", "ChatCompletionCreateParamsBase"),
    values: {
      n: 2,
      logit_bias: { "1": 1 },
      top_logprobs: 2,
      frequency_penalty: 0.5,
      presence_penalty: 0.5,
      modalities: ["text", "audio"],
      functions: [{ name: "f" }],
      function_call: "auto",
    },
  },
  {
    heading: "OpenAI Responses",
    convert: responsesConversation,
    base: { model: "m", input: "Hi" },
    fields: typed("openai", "resources/responses/responses.d.ts", "ResponseCreateParamsBase"),
    values: { top_logprobs: 2, previous_response_id: "resp_1", conversation: "conv_1", max_tool_calls: 3 },
  },
  {
    heading: "Anthropic messages, to models other than Claude",
    convert: messagesConversation,
    base: { model: "m", max_tokens: 10, messages: [{ role: "user", content: "Hi" }] },
    fields: typed("@anthropic-ai/sdk", "resources/beta/messages/messages.d.ts", "MessageCreateParamsBase"),
    values: {
      container: "c",
      mcp_servers: [{}],
      speed: "fast",
      context_management: { edits: [{ type: "clear_thinking_20251015" }, { type: "compact_20260112" }] },
    },
  },
  {
    heading: "Bedrock Converse, to other upstreams",
    convert: converseConversation,
    base: { messages: [{ role: "user", content: [{ text: "Hi" }] }] },
    fields: typed("@aws-sdk/client-bedrock-runtime", "dist-types/models/models_0.d.ts", "ConverseRequest"),
    values: {},
  },
];

describe.each(dialects)("docs/fields.md, $heading", ({ heading, convert, base, fields, values }) => {
  const rows = table(heading);

  it("names every field of the SDK's types, once", () => {
    const named = rows.map(({ field }) => field);
    expect(new Set(named).size).toBe(named.length);
    expect(fields.length).toBeGreaterThan(10);
    expect(fields.filter((field) => !named.includes(field))).toEqual([]);
  });

  it.each(rows.filter(({ what }) => what === "refused"))("$field is refused by name", ({ field }) => {
    const value = values[field] ?? { asked: true };
    let refusal: unknown;
    try {
      convert({ ...base, [field]: value });
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toBeInstanceOf(GatewayError);
    expect(refusal).toMatchObject({ code: "unsupported", status: 400, param: field });
  });

  it.each(rows.filter(({ what }) => what === "ignored"))("$field changes nothing", ({ field }) => {
    const without = convert(base);
    const withIt = convert({ ...base, [field]: values[field] ?? "something" });
    expect(withIt).toEqual(without);
  });

  it("tolerates fields nobody knows, and null for any", () => {
    const nothing = Object.fromEntries(rows.filter(({ field }) => !(field in base)).map(({ field }) => [field, null]));
    expect(convert({ ...base, ...nothing, brand_new: { x: 1 } })).toEqual(convert(base));
  });
});

describe("docs/fields.md, Anthropic messages, to Claude on Bedrock", () => {
  const heading = "Anthropic messages, to Claude on Bedrock";
  const rows = table(heading);
  const base = { model: "m", max_tokens: 10, messages: [{ role: "user", content: "Hi" }] };
  const sent = (more: JsonObject): JsonObject => JSON.parse(claudeBody({ ...base, ...more }, null));

  it("names every field of the SDK's types, once", () => {
    const named = rows.map(({ field }) => field);
    const fields = typed("@anthropic-ai/sdk", "resources/beta/messages/messages.d.ts", "MessageCreateParamsBase");
    expect(new Set(named).size).toBe(named.length);
    expect(fields.filter((field) => !named.includes(field))).toEqual([]);
  });

  it.each(rows.filter(({ what }) => what === "refused"))("$field is refused by name", ({ field }) => {
    const refusal = expect.objectContaining({ code: "unsupported", status: 400, param: field });
    expect(() => sent({ [field]: field === "speed" ? "fast" : { asked: true } })).toThrow(refusal);
  });

  it.each(rows.filter(({ what }) => what === "ignored"))("$field changes nothing", ({ field }) => {
    expect(sent({ [field]: "something" })).toEqual(sent({}));
  });

  const elsewhere = ["model", "stream", "output_format"];
  it.each(rows.filter(({ field, what }) => what === "mapped" && !elsewhere.includes(field)))(
    "$field goes on",
    ({ field }) => {
      expect(sent({ [field]: ["as it came"] })[field]).toEqual(["as it came"]);
    },
  );

  it("lists the betas that go on", () => {
    const section = page.split(`## ${heading}`)[1]?.split("\n## ")[0] ?? "";
    const listed = section.slice(section.indexOf("They are:")).match(/[a-z-][a-z0-9-]*-\d{4}-\d{2}-\d{2}/g) ?? [];
    const taken = listed.filter((name) => name !== "advanced-tool-use-2025-11-20");
    expect(taken.length).toBeGreaterThan(15);
    expect(bedrockBetas(listed.join(","), {})).toEqual(taken);
  });
});
