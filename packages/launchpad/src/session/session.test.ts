import { describe, expect, it } from "vitest";
import { endsAt, isAlive, needsRefresh, needsTouch } from "./session.ts";

const lifetimes = { absoluteSeconds: 1_000, idleSeconds: 100 };
const times = { createdAt: 0, lastSeenAt: 500, expiresAt: 1_000 };

describe("the life of a session", () => {
  it.each([
    [599, true],
    [600, false],
  ])("at %i after 100 s without a request: alive %s", (now, alive) => {
    expect(isAlive(times, lifetimes, now)).toBe(alive);
  });

  it("ends at its absolute end, however busy it is", () => {
    const busy = { ...times, lastSeenAt: 990 };
    expect([isAlive(busy, lifetimes, 999), isAlive(busy, lifetimes, 1_000), endsAt(busy, lifetimes)]).toEqual([
      true,
      false,
      1_000,
    ]);
    expect(endsAt(times, lifetimes)).toBe(600);
  });

  it("is written down as seen at most every tenth of its idle time", () => {
    expect([needsTouch(times, lifetimes, 509), needsTouch(times, lifetimes, 510)]).toEqual([false, true]);
  });
});

describe("renewing a login's token", () => {
  const tokens = { access: "a", id: undefined, scopes: [], refresh: "r", obtainedAt: 0 };
  it.each([
    ["an hour's token, early", 3_600, 3_000, false],
    ["an hour's token, five minutes and a half before its end", 3_600, 3_270, true],
    ["a minute's token in its first half", 60, 29, false],
    ["a minute's token in its second half", 60, 30, true],
    ["a token that is over", 60, 61, true],
  ])("%s", (_, accessExpiresAt, now, needed) => {
    expect(needsRefresh({ ...tokens, accessExpiresAt }, now)).toBe(needed);
  });

  it("is not tried without a refresh token", () => {
    expect(needsRefresh({ ...tokens, refresh: undefined, accessExpiresAt: 60 }, 61)).toBe(false);
  });
});
