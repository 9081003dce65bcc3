import { describe, expect, it } from "vitest";
import type { ConverseMessage, Turn } from "../rule.ts";
import { callAskedTool } from "./asked-tool.ts";

const string = { type: "string" };
const tools = [
  {
    name: "Bash",
    inputSchema: { type: "object", properties: { command: string, timeout: {} }, required: ["command"] },
  },
  { name: "Read", inputSchema: { type: "object", properties: { file_path: string }, required: ["file_path"] } },
  {
    name: "Write",
    inputSchema: {
      type: "object",
      properties: { file_path: string, content: string },
      required: ["file_path", "content"],
    },
  },
  {
    name: "mcp__sums__add",
    inputSchema: { type: "object", properties: { a: { type: "number" }, b: { type: "number" } } },
  },
  { name: "now", inputSchema: { type: "object" } },
  { name: "look", inputSchema: { type: "object", properties: { at: string } } },
];
const said = (...texts: string[]): ConverseMessage => ({ role: "user", content: texts.map((text) => ({ text })) });
const turn = (messages: readonly ConverseMessage[], more: Partial<Turn> = {}): Turn => ({
  system: "",
  messages,
  tools,
  model: "m",
  ...more,
});

describe("a message that names a tool", () => {
  it.each([
    ["Use the Bash tool to run: echo hi", "Bash", { command: "echo hi" }],
    ['Use the Bash tool to run: echo "hi there"', "Bash", { command: 'echo "hi there"' }],
    ["Please use the bash tool to run the command `ls -l`.", "Bash", { command: "ls -l" }],
    ["Call the tool `Read` with note.txt", "Read", { file_path: "note.txt" }],
    ['Call the tool Read with "note.txt".', "Read", { file_path: "note.txt" }],
    ["Read the file note.txt", "Read", { file_path: "note.txt" }],
    ["please read /tmp/a b.txt", "Read", { file_path: "/tmp/a b.txt" }],
    ['Use the mcp__sums__add tool with {"a": 1, "b": 2}.', "mcp__sums__add", { a: 1, b: 2 }],
    ['Use the Write tool with {"file_path": "x", "content": "{}"}', "Write", { file_path: "x", content: "{}" }],
    ["Call the now tool", "now", {}],
    ["Use the look tool on the sky", "look", { at: "sky" }],
    ['"Use the Bash tool to run: echo hi"', "Bash", { command: "echo hi" }],
  ])("%s", (text, name, input) => {
    expect(callAskedTool(turn([said(text)]))).toEqual({ toolUses: [{ name, input }] });
  });

  it("is the last thing said, whatever a client put before it", () => {
    const message = said("<system-reminder>Use the now tool.</system-reminder>", "Use the Bash tool to run: id");
    expect(callAskedTool(turn([message]))?.toolUses).toEqual([{ name: "Bash", input: { command: "id" } }]);
  });

  it.each(["Write a poem", "What does the Bash tool do?", "Use the Hammer tool", "Reading is fun", ""])(
    "is not this: %s",
    (text) => {
      expect(callAskedTool(turn([said(text)]))).toBeUndefined();
    },
  );
});

it("closes with what the tools answered, and calls none again", () => {
  const toolResult = { toolUseId: "t", content: [{ text: "hi" }, { json: { a: 1 } }] };
  const asked = said("Use the Bash tool to run: echo hi");
  const called: ConverseMessage = {
    role: "assistant",
    content: [{ toolUse: { toolUseId: "t", name: "Bash", input: {} } }],
  };
  const came: ConverseMessage = { role: "user", content: [{ toolResult }, { text: "Use the now tool" }] };
  const reply = callAskedTool(turn([asked, called, came]));
  expect(reply?.toolUses).toBeUndefined();
  expect(reply?.text).toContain('“hi\n{"a":1}”');
});

it("calls the tool a client insists on, with an example of its arguments", () => {
  const insisted = turn([said("Who wrote it?")], { forced: { name: "Write" } });
  expect(callAskedTool(insisted)?.toolUses).toEqual([
    { name: "Write", input: { file_path: "Who wrote it?", content: "Who wrote it?" } },
  ]);
  expect(callAskedTool(turn([said("Who?")], { forced: {} }))?.toolUses?.[0]?.name).toBe("Bash");
  expect(callAskedTool(turn([said("Who?")]))).toBeUndefined();
});

it("calls again where a call is insisted on behind a result, of several tools one that was not called yet", () => {
  const use = (name: string): ConverseMessage[] => [
    { role: "assistant", content: [{ toolUse: { toolUseId: "t", name, input: {} } }] },
    { role: "user", content: [{ toolResult: { toolUseId: "t", content: [{ text: "hi" }] } }] },
  ];
  const next = (called: readonly string[], forced: Turn["forced"] = {}) =>
    callAskedTool(turn([said("Who?"), ...called.flatMap(use)], { forced }))?.toolUses?.[0]?.name;
  expect(next(["Bash"])).toBe("Read");
  expect(next(tools.map(({ name }) => name))).toBe("look");
  expect(next(["Bash"], { name: "Bash" })).toBe("Bash");
});
