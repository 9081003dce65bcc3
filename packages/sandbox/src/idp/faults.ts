import { z } from "zod";
import { type Endpoint, endpoints } from "./calls.ts";

const maxFaults = 100;

export const faultSchema = z.strictObject({
  endpoint: z.enum(endpoints),
  /** Absent: any issuer. */
  issuer: z.string().optional(),
  fault: z.enum(["slow", "5xx", "429", "drop"]),
  /** How many calls it hits. */
  count: z.int().min(1).max(1_000_000).default(1),
  /** How long `slow` waits before it answers as usual. */
  milliseconds: z.int().min(0).max(600_000).default(3000),
  /** Which status `5xx` answers. */
  status: z.int().min(500).max(599).default(503),
});

export type Fault = z.output<typeof faultSchema>;

/** Failures waiting to happen: each hits the next calls of its endpoint, the oldest first, until its count is used up. */
export interface Faults {
  add(fault: Fault): void;
  take(issuer: string, endpoint: Endpoint): Fault | undefined;
  list(): readonly Fault[];
  clear(): void;
}

export function createFaults(): Faults {
  let waiting: Fault[] = [];
  return {
    add: (fault) => {
      waiting = [...waiting, fault].slice(-maxFaults);
    },
    take: (issuer, endpoint) => {
      const hit = waiting.find(
        (fault) => fault.endpoint === endpoint && (fault.issuer === undefined || fault.issuer === issuer),
      );
      if (hit === undefined) return undefined;
      const left = { ...hit, count: hit.count - 1 };
      waiting = waiting.flatMap((fault) => (fault !== hit ? fault : left.count > 0 ? left : []));
      return hit;
    },
    list: () => waiting,
    clear: () => {
      waiting = [];
    },
  };
}
