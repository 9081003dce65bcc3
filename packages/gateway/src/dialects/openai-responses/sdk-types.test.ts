import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { GatewayError } from "../../errors.ts";
import type { JsonObject } from "../body.ts";
import { responsesStream } from "./stream.ts";

const source = readFileSync(
  join(import.meta.dirname, "../../../node_modules/openai/resources/responses/responses.d.ts"),
  "utf8",
);

/** The members that an interface of the SDK's published types requires, by the interface's name. */
const required = new Map(
  [...source.matchAll(/^export interface (\w+) (?:extends \w+ )?\{\n([\s\S]*?)^\}/gm)].map(
    ([, name = "", body = ""]) => [name, [...body.matchAll(/^ {4}([a-z_]+): /gm)].map(([, member = ""]) => member)],
  ),
);
/** The interface of an event, by its `type`. */
const eventInterfaces = new Map(
  [...source.matchAll(/^export interface (\w+Event) \{\n[\s\S]*?^ {4}type: '([a-z._]+)';\n/gm)].map(
    ([, name = "", type = ""]) => [type, name],
  ),
);
const itemInterfaces: Readonly<Record<string, string>> = {
  message: "ResponseOutputMessage",
  reasoning: "ResponseReasoningItem",
  function_call: "ResponseFunctionToolCall",
  custom_tool_call: "ResponseCustomToolCall",
  tool_search_call: "ResponseToolSearchCall",
};
/** Put together by the SDK itself. */
const addedBySdk = ["output_text"];

function missing(of: object, name: string): string[] {
  const members = required.get(name) ?? [];
  expect(members, name).not.toEqual([]);
  return members
    .filter((member) => !(member in of) && !addedBySdk.includes(member))
    .map((member) => `${name}.${member}`);
}

const tools = [
  { type: "custom", name: "run" },
  { type: "tool_search", execution: "client" },
];

interface Typed extends JsonObject {
  readonly type: string;
}
interface Event extends Typed {
  readonly item?: Typed;
  readonly response?: JsonObject;
}

function everything(stopReason: string): Event[] {
  const stream = responsesStream({ id: "x", created: 1, model: "m", body: { tools } });
  stream.start();
  stream.reasoning(0, "Hm");
  stream.redacted(1, "secret");
  stream.text(2, "Hi");
  for (const [index, name] of ["look", "run", "tool_search"].entries()) {
    stream.toolStart(3 + index, `call_${index}`, name);
    stream.toolInput(3 + index, '{"input":"x"}');
  }
  stream.stop(stopReason);
  stream.usage({ inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 });
  if (stopReason === "failed") stream.fail(new GatewayError("upstream_failed", "It broke."));
  else stream.finish();
  const frames = String(stream.take()).split("\n\n").slice(0, -1);
  return frames.map((frame) => JSON.parse(frame.slice(frame.indexOf("data: ") + "data: ".length)));
}

describe("the newest SDK's types of a streamed response", () => {
  const events = ["tool_use", "max_tokens", "failed"].flatMap(everything);

  it("know every event, and each has all they require", () => {
    const types = [...new Set(events.map(({ type }) => type))];
    expect(types).toHaveLength(20);
    expect(types.filter((type) => !eventInterfaces.has(type))).toEqual([]);
    expect(events.flatMap((event) => missing(event, eventInterfaces.get(event.type) ?? ""))).toEqual([]);
  });

  it("find all they require in each item and in the response", () => {
    const items = events.flatMap(({ item }) => (item === undefined ? [] : [item]));
    expect(new Set(items.map(({ type }) => type))).toEqual(new Set(Object.keys(itemInterfaces)));
    const responses = events.flatMap(({ response }) => (response === undefined ? [] : [response]));
    expect(items.flatMap((item) => missing(item, itemInterfaces[item.type] ?? ""))).toEqual([]);
    expect(responses.flatMap((response) => missing(response, "Response"))).toEqual([]);
    expect(missing(responses.at(-1)?.usage as JsonObject, "ResponseUsage")).toEqual([]);
  });
});
