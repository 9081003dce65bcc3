import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createDrains } from "./drains.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("an answer that nobody hears is cut when its time is over, and not if it ended before", () => {
  const drains = createDrains(1_000);
  const [lasting, short] = [vi.fn(), vi.fn()];
  drains.begin(lasting);
  drains.begin(short)();
  vi.advanceTimersByTime(999);
  expect(lasting).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(lasting).toHaveBeenCalledOnce();
  expect(short).not.toHaveBeenCalled();
});

test("all that run are cut when the process goes, and it is known that no other is to begin", () => {
  const drains = createDrains(1_000);
  const ended = vi.fn();
  drains.begin(ended)();
  const running = [vi.fn(), vi.fn()].map((cut) => {
    const end = drains.begin(() => {
      cut();
      end();
    });
    return cut;
  });
  expect(drains.isOver).toBe(false);
  drains.cutAll();
  expect(drains.isOver).toBe(true);
  expect(running.map((cut) => cut.mock.calls.length)).toEqual([1, 1]);
  vi.advanceTimersByTime(1_000);
  expect(running.map((cut) => cut.mock.calls.length)).toEqual([1, 1]);
  expect(ended).not.toHaveBeenCalled();
});
