import { describe, expect, it } from "vitest";
import type { AnswerSink } from "../../dialects/conversation.ts";
import { chatReader } from "./reader.ts";

/** What is told of a stream of such parts of calls; a text stands for itself. */
function told(...parts: readonly (object | string)[]) {
  const events: string[] = [];
  const failures: unknown[] = [];
  const sink: AnswerSink = {
    start: () => {},
    text: (block, text) => void events.push(`${block} text ${text}`),
    reasoning: () => {},
    signature: () => {},
    redacted: () => {},
    toolStart: (block, id, name) => void events.push(`${block} call ${id} ${name}`),
    toolInput: (block, json) => void events.push(`${block} ${json}`),
    blockStop: (block) => void events.push(`${block} over`),
    stop: (reason) => void events.push(reason),
    usage: () => {},
    fail: (error) => void failures.push(error.message),
  };
  const reader = chatReader(sink);
  const say = (choice: object): void => reader.push(Buffer.from(`data: ${JSON.stringify({ choices: [choice] })}\n\n`));
  for (const part of parts) say({ delta: typeof part === "string" ? { content: part } : { tool_calls: [part] } });
  say({ delta: {}, finish_reason: "tool_calls" });
  reader.end();
  return { events, failures };
}

const begin = (index: number, id: string, json = "") => ({
  index,
  id,
  function: { name: `tool_${id}`, arguments: json },
});
const part = (index: number, json: string) => ({ index, function: { arguments: json } });

describe("parallel calls of an OpenAI-compatible server", () => {
  it("are told as they come where one follows the other", () => {
    const parts = [begin(0, "a"), part(0, '{"x":'), part(0, '"}"}'), begin(1, "b"), part(1, "{"), part(1, "}")];
    expect(told(...parts).events).toEqual([
      "0 call a tool_a",
      '0 {"x":',
      '0 "}"}',
      "0 over",
      "1 call b tool_b",
      "1 {",
      "1 }",
      "1 over",
      "tool_use",
    ]);
  });

  it("are told one after the other where a part of this and a part of that comes", () => {
    const parts = [
      begin(0, "a"),
      begin(1, "b"),
      begin(2, "c"),
      part(0, '{"x"'),
      part(1, '{"y"'),
      part(2, "{}"),
      part(0, ":1}"),
      part(1, ":2"),
      part(1, "}"),
      part(0, " \n"),
      "Done.",
    ];
    expect(told(...parts)).toEqual({
      failures: [],
      events: [
        "0 call a tool_a",
        '0 {"x"',
        "0 :1}",
        "0 over",
        "1 call b tool_b",
        '1 {"y"',
        "1 :2",
        "1 }",
        "1 over",
        "2 call c tool_c",
        "2 {}",
        "2 over",
        "3 text Done.",
        "3 over",
        "tool_use",
      ],
    });
  });

  it("are all told where the first says nothing", () => {
    expect(told(begin(0, "a"), begin(1, "b", "{}"), begin(2, "c")).events).toEqual([
      "0 call a tool_a",
      "0 over",
      "1 call b tool_b",
      "1 {}",
      "1 over",
      "2 call c tool_c",
      "2 over",
      "tool_use",
    ]);
  });

  it("fail where more is said of one behind its end: a call without a name would be none", () => {
    const { events, failures } = told(begin(0, "a", "{}"), begin(1, "b", "{"), part(0, '{"x":1}'));
    expect(events.some((event) => event.endsWith("call  "))).toBe(false);
    expect(failures[0]).toContain("could not be read");
  });

  it("are held up to a bound", () => {
    const many = Array.from({ length: 20 }, () => part(1, "x".repeat(1024 * 1024)));
    expect(told(begin(0, "a"), begin(1, "b"), ...many).failures[0]).toContain("could not be read");
  });
});
