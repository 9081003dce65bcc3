import { beforeEach, describe, expect, test } from "vitest";
import { testClock } from "../fixtures/clock.ts";
import { type Breaker, createBreaker } from "./breaker.ts";

let clock: ReturnType<typeof testClock>;
let states: string[];
let breaker: Breaker;
beforeEach(() => {
  clock = testClock();
  states = [];
  const onState = (state: string) => void states.push(state);
  breaker = createBreaker({ failures: 3, openMs: 3000, steadyMs: clock.steadyNow, onState });
});
const fail = (times: number) => {
  for (let time = 0; time < times; time += 1) breaker.failed();
};

describe("the breaker", () => {
  test("opens after failures in a row, not after as many in all", () => {
    fail(2);
    breaker.succeeded();
    fail(2);
    expect(breaker.closedFor()).toBe(0);
    fail(1);
    expect(breaker.closedFor()).toBe(3000);
    expect(states).toEqual(["open"]);
  });

  test("lets one through when the time is over, and closes when that one succeeds", () => {
    fail(3);
    clock.advance(3);
    expect([breaker.closedFor(), breaker.closedFor()]).toEqual([0, 3000]);
    breaker.succeeded();
    expect([breaker.closedFor(), breaker.closedFor()]).toEqual([0, 0]);
    expect(states).toEqual(["open", "half_open", "closed"]);
  });

  test("opens again when that one fails, and lets another through when it never reports", () => {
    fail(3);
    clock.advance(3);
    breaker.closedFor();
    fail(1);
    expect(breaker.closedFor()).toBe(3000);
    clock.advance(3);
    expect(breaker.closedFor()).toBe(0);
    clock.advance(3);
    expect(breaker.closedFor()).toBe(0);
  });

  test("does not care about the wall clock", () => {
    fail(3);
    clock.stepWall(-3600);
    clock.advance(3);
    expect(breaker.closedFor()).toBe(0);
  });
});
