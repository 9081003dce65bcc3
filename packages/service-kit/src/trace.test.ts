import { describe, expect, test } from "vitest";
import { createTracer, parseTraceparent } from "./trace.ts";

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const spanId = "00f067aa0ba902b7";

describe("traceparent (W3C Trace Context section 3.2)", () => {
  test.each([
    ["00", `00-${traceId}-${spanId}-01`, true],
    ["not sampled", `00-${traceId}-${spanId}-00`, false],
    ["further flags", `00-${traceId}-${spanId}-03`, true],
    ["a future version", `01-${traceId}-${spanId}-01-more`, true],
  ])("%s is read", (_, header, sampled) => {
    expect(parseTraceparent(header)).toEqual({ traceId, spanId, sampled });
  });

  test.each([
    ["absent", undefined],
    ["upper case", `00-${traceId.toUpperCase()}-${spanId}-01`],
    ["version ff", `ff-${traceId}-${spanId}-01`],
    ["version 00 with more", `00-${traceId}-${spanId}-01-more`],
    ["a future version without its hyphen", `01-${traceId}-${spanId}-01more`],
    ["no trace", `00-${"0".repeat(32)}-${spanId}-01`],
    ["no span", `00-${traceId}-${"0".repeat(16)}-01`],
    ["short", `00-${traceId.slice(1)}-${spanId}-01`],
    ["two headers joined", `00-${traceId}-${spanId}-01, 00-${traceId}-${spanId}-01`],
    ["a space", ` 00-${traceId}-${spanId}-01`],
  ])("%s is not", (_, header) => {
    expect(parseTraceparent(header)).toBeUndefined();
  });

  test("the trace goes on under a span of its own, with its state", () => {
    const trace = createTracer()(`00-${traceId}-${spanId}-00`, "vendor=1");
    expect(trace).toMatchObject({ traceId, parentSpanId: spanId, sampled: false, tracestate: "vendor=1" });
    expect(trace.spanId).not.toBe(spanId);
    expect(parseTraceparent(trace.traceparent)).toEqual({ traceId, spanId: trace.spanId, sampled: false });
  });

  test("a state longer than 512 characters is not handed on: it goes with every call down the chain", () => {
    const state = (length: number) => createTracer()(`00-${traceId}-${spanId}-01`, "v".repeat(length)).tracestate;
    expect(state(512)).toHaveLength(512);
    expect(state(513)).toBeUndefined();
  });

  test("a broken parent begins a new trace and takes no state along", () => {
    const begin = createTracer();
    const [a, b] = [begin("nonsense", "vendor=1"), begin(undefined)];
    expect(a.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(a.traceId).not.toBe(b.traceId);
    expect(a).toMatchObject({ parentSpanId: undefined, tracestate: undefined, sampled: true });
  });

  test("ids of traces that begin here are in the order of their milliseconds, and random behind them", () => {
    const start = Date.UTC(2026, 10, 22);
    const times = [0, 1, 15, 16, 255, 4096].map((ms) => start + ms);
    let now = start;
    const begin = createTracer(undefined, () => now);
    const ids = times.map((ms) => {
      now = ms;
      return begin(undefined).traceId;
    });
    expect(ids.toSorted()).toEqual(ids);
    expect(ids.map((id) => Number.parseInt(id.slice(0, 12), 16))).toEqual(times);
    expect(new Set(ids.map((id) => id.slice(12))).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
  });
});
