import { describe, expect, test, vi } from "vitest";
import { healthRoutes, readiness } from "./health.ts";

async function ask(path: string, ...args: Parameters<typeof readiness>) {
  return healthRoutes(readiness(...args)).request(path);
}

describe("health", () => {
  test("is 204 while the process lives, whatever is missing", async () => {
    const answer = await ask("/system/health", { store: () => Promise.reject(new Error("gone")) });
    expect([answer.status, await answer.text()]).toEqual([204, ""]);
  });
});

describe("readiness", () => {
  test("is 200 when every check passes", async () => {
    const answer = await ask("/system/ready", { keys: () => {}, store: async () => {} });
    expect([answer.status, await answer.json()]).toEqual([200, { status: "ready", causes: {} }]);
    expect(answer.headers.get("cache-control")).toBe("no-store");
  });

  test("is 503 with every cause: rejected, thrown, and not answering in time", async () => {
    const answer = await ask(
      "/system/ready",
      {
        keys: () => Promise.reject(new Error("keys of https://issuer cannot be reached")),
        database: () => {
          throw new Error("no connection");
        },
        store: () => new Promise(() => {}),
        fine: () => {},
      },
      { timeoutMs: 30 },
    );
    expect([answer.status, await answer.json()]).toEqual([
      503,
      {
        status: "not_ready",
        causes: {
          keys: "keys of https://issuer cannot be reached",
          database: "no connection",
          store: "no answer within 30 ms",
        },
      },
    ]);
  });

  test("makes one round of checks for many probes, and a new one when the answer is old", async () => {
    let clock = 0;
    const check = vi.fn();
    const ready = readiness({ check }, { cacheMs: 1_000, now: () => clock });
    await Promise.all([ready.state(), ready.state(), ready.state()]);
    expect(check).toHaveBeenCalledTimes(1);
    clock = 1_000;
    await ready.state();
    expect(check).toHaveBeenCalledTimes(2);
  });

  test("ends with the first word of going away, also for a kept answer", async () => {
    const ready = readiness({});
    await ready.state();
    ready.drain();
    expect(await ready.state()).toMatchObject({ status: "not_ready", causes: { shutdown: expect.any(String) } });
  });
});
