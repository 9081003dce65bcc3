import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { refuseFailures } from "./failures.ts";
import { readOptions } from "./options.ts";
import { probe } from "./probe.ts";
import { report } from "./report.ts";
import { summary } from "./steady-log.ts";
import type { Throughput } from "./throughput.ts";

describe("what the load tools counted", () => {
  const whole = { requests: 10, seconds: 1, bytes: 10_100, failed: 0 };

  it("is taken when every answer was whole", () => {
    expect(() => refuseFailures("x", whole, 1000)).not.toThrow();
  });

  it.each([
    ["none was answered", { ...whole, requests: 0 }, "no request was answered"],
    ["one was refused", { ...whole, failed: 1 }, "1 requests failed"],
    ["one answer in ten was cut short", { ...whole, bytes: 9_600 }, "960 bytes an answer"],
  ])("ends the bench when %s", (_, load, message) => {
    expect(() => refuseFailures("x", load, 1000)).toThrow(message);
  });
});

describe("h2load's log", () => {
  const row = (startMs: number, status: number, microseconds: number): string =>
    [startMs * 1000, status, microseconds].join("\t");

  it("counts latencies of what began after the first second, in milliseconds", () => {
    const early = Array.from({ length: 50 }, (_, index) => row(5_000 + index, 200, 90_000));
    const later = Array.from({ length: 100 }, (_, index) => row(6_000 + index, 200, (index + 1) * 10));
    expect(summary([...later, ...early].join("\n"), 150)).toEqual({ p50: 0.51, p99: 1, failed: 0 });
  });

  it("counts as failed what was refused, cut, or never sent", () => {
    const log = [row(0, 200, 1), row(2_000, 200, 100), row(2_001, 503, 1), row(2_002, -1, 1)].join("\n");
    expect(summary(log, 5)).toEqual({ p50: 0.1, p99: 0.1, failed: 3 });
  });
});

describe("one request before the many", () => {
  const open = new Set<ReturnType<typeof createServer>>();
  afterEach(() => {
    for (const one of open) one.close();
    open.clear();
  });

  async function ask(kind: "json" | "stream", status: number, answer: string): Promise<number> {
    const server = createServer((_, outgoing) => void outgoing.writeHead(status).end(answer));
    open.add(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const running = { url, pid: 0, stop: () => Promise.resolve() };
    return probe({ name: "x", server: running, warmsUp: false, ask: () => ({ url, headers: {}, body: "{}" }) }, kind);
  }

  it("takes the provider's answer and says how long it is", async () => {
    expect(await ask("json", 200, "The quick brown fox")).toBe(19);
    expect(await ask("stream", 200, "fox jumps ".repeat(100))).toBe(1000);
  });

  it.each([
    ["json", 401, "The quick brown fox", "status 401"],
    ["json", 200, "an error with status 200", "not the provider's answer"],
    ["stream", 200, "fox jumps ".repeat(99), "99 of 100 events"],
  ] as const)("%s with %i is refused when it is not that", async (kind, status, answer, message) => {
    await expect(ask(kind, status, answer)).rejects.toThrow(message);
  });
});

describe("the report", () => {
  const of = (rate: number, cpu: number, server = 1): Throughput => ({
    rate,
    cpu,
    busy: { server, provider: 0.5, load: 0.3, others: 0.1 },
  });
  const latency = {
    direct: { p50: 0.1, p99: 0.4 },
    added: new Map([
      ["bare Node", { p50: 0.1, p99: -0.2 }],
      ["gateway → Bedrock", { p50: 0.3, p99: 4.9 }],
    ]),
  };
  const json = new Map([
    ["bare Node", of(20_000, 50, 0.8)],
    ["gateway → Bedrock", of(10_000, 125)],
    ["Portkey → Bedrock", of(1_600, 600)],
  ]);
  const text = report({ json, latency, exactLatency: true, streams: 1000, rate: 1000 });

  it("gives ratios above one to what is better, for rates and for costs", () => {
    expect(text).toContain("| JSON, requests/s | 20,000 (1.00) | 10,000 (0.50) | 1,600 (0.08) |");
    expect(text).toContain("| JSON, processor time a request, µs | 50 (1.00) | 125 (0.40) | 600 (0.08) |");
  });

  it("gives no ratio to less than nothing", () => {
    expect(text).toContain("p99, ms | -0.20 | 4.90 | – |");
  });

  it("judges by the targets, their edges included or not as they were asked", () => {
    expect(text).toContain("| JSON → Bedrock, of bare Node | ≥ 0.5 | 0.50 | reached |");
    expect(text).toContain("| JSON → Bedrock, of Portkey | ≥ 8 | 6.25 | **missed** |");
    expect(text).toContain("p50 | < 0.30 ms | 0.30 ms | **missed** |");
    expect(text).toContain("p99 | < 5.00 ms | 4.90 ms | reached |");
    expect(text).toContain("| two processes, of one | ≥ 1.8 | – | not measured |");
  });

  it("does not judge a latency by a tool that cannot measure it", () => {
    const rough = report({ json, latency, exactLatency: false, streams: 1000, rate: 1000 });
    expect(rough).toContain("p99 | < 5.00 ms | – | not measured |");
  });

  it("says whose figure was not its own limit", () => {
    expect(text).toContain("Not limited by the server, so too low: JSON, bare Node.");
  });
});

describe("the options", () => {
  it("have defaults, and take pnpm's two dashes", () => {
    expect(readOptions([])).toMatchObject({ seconds: 4, rounds: 5, warmUpSeconds: 10, portkey: false });
    expect(readOptions(["--", "--only", "latency,memory"]).only).toEqual(["latency", "memory"]);
  });

  it.each([
    [["--seconds", "0"], "--seconds 0: expected a whole number from 1"],
    [["--only", "speed"], "--only speed: expected throughput"],
    [["--second", "3"], "--second"],
  ])("%j is refused by name", (args, message) => {
    expect(() => readOptions(args)).toThrow(message);
  });
});
