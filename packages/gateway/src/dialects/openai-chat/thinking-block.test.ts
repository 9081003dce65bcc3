import { expect, it } from "vitest";
import { chatStream } from "./stream.ts";

it("tells a thought once, in however many parts its proof comes", () => {
  const stream = chatStream({ id: "x", created: 1, model: "m" }, false);
  stream.start();
  stream.reasoning(0, "Hm");
  for (const part of ["one ", "two ", "three"]) stream.signature(0, part);
  stream.blockStop(0);
  stream.reasoning(1, "So");
  stream.signature(1, "four");
  stream.stop("end_turn");
  stream.finish();
  const chunks = String(stream.take())
    .split("\n\n")
    .filter((line) => line.includes("thinking_blocks"));
  const blocks = chunks.map((line) => JSON.parse(line.slice("data: ".length)).choices[0].delta.thinking_blocks[0]);
  expect(blocks).toEqual([
    { index: 0, type: "thinking", thinking: "Hm", signature: "one two three" },
    { index: 1, type: "thinking", thinking: "So", signature: "four" },
  ]);
});
