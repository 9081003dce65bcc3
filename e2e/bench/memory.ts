import { type Contestant, pacedEventsPerSecond } from "./contestants.ts";
import { openStreams } from "./open-streams.ts";
import { residentBytes } from "./process-table.ts";

export interface Memory {
  /** The most it took while the streams were open, less what it took before. */
  readonly bytesAboveIdle: number;
  readonly eventsPerSecond: number;
}

/** One stream loads what is loaded at first use; it is no part of what an open one costs. */
const streamsBefore = 10;
const settleMs = 1_000;
const holdMs = 4_000;
const lookMs = 200;

/** A provider, a server and a client on one machine do not keep every beat. */
const leastPart = 0.9;

/**
 * Open streams, an event every 100 ms each, through a server that has done nothing before: a heap that has grown
 * already would hide them.
 * @throws Error when a stream is refused, ends, or stands still
 */
export async function memory({ name, server, ask }: Contestant, count: number): Promise<Memory> {
  await (await openStreams(ask("paced"), streamsBefore)).close();
  await pause(settleMs);
  const idle = residentBytes(server.pid);
  const streams = await openStreams(ask("paced"), count);
  const before = streams.now().events;
  const started = performance.now();
  let most = 0;
  while (performance.now() - started < holdMs) {
    await pause(lookMs);
    most = Math.max(most, residentBytes(server.pid));
  }
  const { open, events } = streams.now();
  const eventsPerSecond = (events - before) / ((performance.now() - started) / 1000);
  await streams.close();
  if (open < count) throw new Error(`${name}: ${count - open} of ${count} open streams ended`);
  if (eventsPerSecond < count * pacedEventsPerSecond * leastPart)
    throw new Error(
      `${name}: ${eventsPerSecond.toFixed(0)} events/s from ${count} streams of ${pacedEventsPerSecond}/s`,
    );
  return { bytesAboveIdle: most - idle, eventsPerSecond };
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
