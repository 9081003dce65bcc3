import type { Load } from "./load.ts";

/** A stream that was cut, or a page of an error with status 200, shows in the bytes. */
export function refuseFailures(what: string, { requests, bytes, failed }: Load, bytesOfOne: number): void {
  if (requests === 0) throw new Error(`${what}: no request was answered`);
  if (failed > 0) throw new Error(`${what}: ${failed} requests failed`);
  if (bytes < requests * bytesOfOne)
    throw new Error(`${what}: ${bytes / requests} bytes an answer, where a whole one has ${bytesOfOne}`);
}
