import { expect, it } from "vitest";
import { noUsage } from "../../call.ts";
import { responsesAnswer } from "./answer.ts";

const call = { toolUse: { toolUseId: "call_1", name: "look", input: { a: "cut" } } };
const meta = { id: "x", created: 1, model: "m", body: {} };

it.each([
  [
    [{ text: "Let me." }, call],
    ["completed", "incomplete"],
  ],
  [
    [call, call],
    ["completed", "incomplete"],
  ],
  [[{ text: "Let" }], ["incomplete"]],
])("the last item of an answer that was cut is not whole: %j", (content, statuses) => {
  const cut = JSON.parse(responsesAnswer({ content, stopReason: "max_tokens", usage: noUsage }, meta));
  expect(cut.output.map(({ status }: { status: string }) => status)).toEqual(statuses);
  expect(cut.status).toBe("incomplete");
  const whole = JSON.parse(responsesAnswer({ content, stopReason: "tool_use", usage: noUsage }, meta));
  expect(whole.output.map(({ status }: { status: string }) => status)).toEqual(statuses.map(() => "completed"));
});
