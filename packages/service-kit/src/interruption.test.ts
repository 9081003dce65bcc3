import { expect, test, vi } from "vitest";
import { type Interruption, RequestInterruption } from "./interruption.ts";

/** The platform's own shows what the light one has to do. */
const kinds: readonly (readonly [string, () => Interruption])[] = [
  ["RequestInterruption", () => new RequestInterruption()],
  ["AbortController", () => new AbortController()],
];

test.each(kinds)("%s: tells everybody once, with the first reason", (_, make) => {
  const interruption = make();
  const { signal } = interruption;
  const [first, second, removed] = [vi.fn(), vi.fn(), vi.fn()];
  signal.addEventListener("abort", first, { once: true });
  signal.addEventListener("abort", removed, { once: true });
  signal.addEventListener("abort", second, { once: true });
  signal.removeEventListener("abort", removed);
  signal.removeEventListener("abort", () => {});
  expect([signal.aborted, signal.reason]).toEqual([false, undefined]);
  const reason = new Error("gone");
  interruption.abort(reason);
  interruption.abort(new Error("later"));
  expect([signal.aborted, signal.reason]).toEqual([true, reason]);
  expect([first, second, removed].map(({ mock }) => mock.calls.length)).toEqual([1, 1, 0]);
});

test.each(kinds)(
  "%s: whoever listens after it has happened hears nothing, and one that listens meanwhile neither",
  (_, make) => {
    const interruption = make();
    const late = vi.fn();
    interruption.signal.addEventListener("abort", () => interruption.signal.addEventListener("abort", late));
    interruption.abort(new Error("gone"));
    interruption.signal.addEventListener("abort", late);
    expect(late).not.toHaveBeenCalled();
  },
);
