import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createDeadlines } from "./deadlines.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const now = (): number => Date.now();

test("each is late at its own time, to the millisecond, and once", () => {
  const deadlines = createDeadlines(1_000, now);
  const late: string[] = [];
  for (const name of ["first", "second", "third"]) {
    const begun = now();
    deadlines.begin(() => void late.push(`${name} after ${now() - begun}`));
    vi.advanceTimersByTime(300);
  }
  vi.advanceTimersByTime(10_000);
  expect(late).toEqual(["first after 1000", "second after 1000", "third after 1000"]);
});

test("what has ended in time is never late, and one timer serves all", () => {
  const deadlines = createDeadlines(1_000, now);
  const late: number[] = [];
  const places = Array.from({ length: 100 }, (_, index) => deadlines.begin(() => void late.push(index)));
  expect(vi.getTimerCount()).toBe(1);
  for (const place of places.filter((_, index) => index !== 42)) deadlines.end(place);
  vi.advanceTimersByTime(1_000);
  expect(late).toEqual([42]);
  expect(vi.getTimerCount()).toBe(0);
});

test("the timer begins again after a rest", () => {
  const deadlines = createDeadlines(1_000, now);
  deadlines.end(deadlines.begin(() => {}));
  vi.advanceTimersByTime(5_000);
  expect(vi.getTimerCount()).toBe(0);
  const onLate = vi.fn();
  deadlines.begin(onLate);
  vi.advanceTimersByTime(999);
  expect(onLate).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(onLate).toHaveBeenCalledOnce();
});

test("one that is late may end the others, and begin anew", () => {
  const deadlines = createDeadlines(1_000, now);
  const second = vi.fn();
  const again = vi.fn();
  deadlines.begin(() => {
    deadlines.end(other);
    deadlines.begin(again);
  });
  vi.advanceTimersByTime(1);
  const other = deadlines.begin(second);
  vi.advanceTimersByTime(1_500);
  expect([second.mock.calls.length, again.mock.calls.length]).toEqual([0, 0]);
  vi.advanceTimersByTime(500);
  expect(again).toHaveBeenCalledOnce();
});
