import { describe, expect, test } from "vitest";
import { createLeapWatch } from "./retention.ts";

const hour = 3_600_000;
const day = 24 * hour;

function setup() {
  let now = 0;
  let wall = Date.UTC(2026, 10, 22, 12);
  const leapt = createLeapWatch({ wallMs: () => wall, now: () => now });
  return {
    leapt,
    pass(ms: number) {
      now += ms;
      wall += ms;
    },
    set(ms: number) {
      wall += ms;
    },
  };
}

describe("a clock that leaps", () => {
  test("forward makes retention wait for a day, and no longer: it may be right now", () => {
    const { leapt, pass, set } = setup();
    pass(hour);
    expect(leapt()).toBeUndefined();
    set(365 * day);
    expect(leapt()).toBe(365 * day);
    pass(23 * hour);
    expect(leapt()).toBe(365 * day);
    pass(hour);
    expect(leapt()).toBeUndefined();
  });

  test("forward and back again is as if nothing had been", () => {
    const { leapt, pass, set } = setup();
    set(365 * day);
    expect(leapt()).toBe(365 * day);
    pass(hour);
    set(-365 * day);
    expect(leapt()).toBeUndefined();
    pass(hour);
    expect(leapt()).toBeUndefined();
  });

  test("back, or forward by a little, makes nothing older than it is", () => {
    const { leapt, pass, set } = setup();
    for (const ms of [-30 * day, hour, -hour, 30]) {
      set(ms);
      pass(hour);
      expect(leapt()).toBeUndefined();
    }
  });
});
