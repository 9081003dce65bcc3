import { z } from "zod";

/** What the stand-in can be told to do wrong, to whichever call comes next. */
const faultSchema = z.strictObject({
  fault: z.enum([
    // instead of an answer
    "throttle",
    "not-ready",
    "unavailable",
    "error",
    "denied",
    "drop",
    "encoding",
    "garbage",
    // before the answer, or before the first event
    "stall",
    // in the middle of a stream, after `after` events
    "pause",
    "cut",
    "end-early",
    "bad-crc",
    "exception",
  ]),
  /** How many calls it befalls. */
  count: z.int().min(1).max(100_000).default(1),
  /** Length of a stall or pause. */
  milliseconds: z.int().min(0).max(600_000).default(1000),
  /** Events sent before a fault in the middle of a stream. */
  after: z.int().min(0).default(3),
  /** `Retry-After` of a throttle, in seconds. */
  retryAfter: z.int().min(0).optional(),
  /** Exception type of an exception frame, as it stands there. */
  type: z.string().default("modelStreamErrorException"),
  /** Only this operation or model, when given. */
  operation: z.string().optional(),
  model: z.string().optional(),
});
export type Fault = z.output<typeof faultSchema>;

const maxWaiting = 1000;

/** Faults waiting for the calls they befall. */
export function createFaults() {
  let waiting: Fault[] = [];
  return {
    /** @throws ZodError */
    add(body: unknown): Fault {
      const fault = faultSchema.parse(body);
      if (waiting.length >= maxWaiting) throw new TypeError(`No more than ${maxWaiting} faults can wait.`);
      waiting.push(fault);
      return fault;
    },
    clear(): void {
      waiting = [];
    },
    waiting: (): readonly Fault[] => waiting,
    /** The first fault that fits the call, counted down. */
    take(operation: string, model: string): Fault | undefined {
      const index = waiting.findIndex(
        (fault) => (fault.operation ?? operation) === operation && (fault.model ?? model) === model,
      );
      const fault = waiting[index];
      if (fault === undefined) return undefined;
      if (fault.count > 1) waiting[index] = { ...fault, count: fault.count - 1 };
      else waiting.splice(index, 1);
      return fault;
    },
  };
}
export type Faults = ReturnType<typeof createFaults>;
