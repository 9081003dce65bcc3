/** Latencies in milliseconds at a rate that does not wait for answers (open loop). */
export interface Steady {
  readonly p50: number;
  readonly p99: number;
  readonly failed: number;
}

/** Connections are being opened, by the server too, and nothing has come to rest. */
export const ignoredSeconds = 1;

/** Rows of h2load: start in microseconds since the epoch, status, microseconds until the end of the answer. */
export function summary(log: string, requests: number): Steady {
  const rows = log
    .trim()
    .split("\n")
    .map((line) => line.split("\t").map(Number) as [number, number, number]);
  const from = Math.min(...rows.map(([start]) => start)) + ignoredSeconds * 1e6;
  const good = rows.filter(([, status]) => status >= 200 && status < 300);
  const times = good
    .filter(([start]) => start >= from)
    .map(([, , microseconds]) => microseconds)
    .sort((left, right) => left - right);
  const at = (part: number): number => (times[Math.floor(times.length * part)] ?? Number.NaN) / 1000;
  return { p50: at(0.5), p99: at(0.99), failed: requests - good.length };
}
