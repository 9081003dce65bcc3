import type { DestinationStream } from "../log.ts";

export interface CapturedLogs {
  /** To hand to `createLogger` or `start`. */
  readonly destination: DestinationStream;
  /** Everything that was written, as it was written. */
  text(): string;
  lines(): Record<string, unknown>[];
  /** The line of each request that has ended. */
  requests(): Record<string, unknown>[];
}

/** Keeps what a logger writes. */
export function captureLogs(): CapturedLogs {
  const written: string[] = [];
  const lines = (): Record<string, unknown>[] =>
    written
      .join("")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line));
  return {
    destination: { write: (line) => void written.push(line) },
    text: () => written.join(""),
    lines,
    requests: () => lines().filter(({ msg }) => msg === "request"),
  };
}
