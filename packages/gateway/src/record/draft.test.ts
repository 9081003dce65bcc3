import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { createRowOf, type Draft } from "./draft.ts";

const ending = { status: 404, aborted: false, durationMs: 1 };

function draftOf(model: string): Draft {
  const requestTime = "2026-11-22T10:00:00.000Z";
  return {
    id: "i",
    requestTime,
    traceId: "t",
    requestId: "r",
    route: "POST /x",
    call: { model, stream: false },
    detail: {},
  };
}

/** Bytes in use once everything nobody needs is gone. */
function used(): number {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  return process.memoryUsage().heapUsed;
}

test("of models' names as long as a book a row holds the beginning, and the process nothing", () => {
  const rowOf = createRowOf();
  const mega = 1_000_000;
  const before = used();
  let last = "";
  for (let index = 0; index < 50; index += 1) {
    // Each is a text of its own, as JSON gives it.
    const model: string = JSON.parse(`"${`model-${index}-`.repeat(mega / 8)}"`);
    last = rowOf(draftOf(model), ending).fields;
  }
  expect(used() - before).toBeLessThan(10 * mega);
  expect(last).toContain('"model-49-model-49-');
  expect(last.length).toBeLessThan(1_000);
});
