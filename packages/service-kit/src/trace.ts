import { randomFillSync } from "node:crypto";

/** Where a request stands in its trace (W3C Trace Context). */
export interface Trace {
  readonly traceId: string;
  /** This service's own part of the trace. */
  readonly spanId: string;
  /** The caller's part; undefined when the trace begins here. */
  readonly parentSpanId: string | undefined;
  readonly sampled: boolean;
  /** To send with every call this request makes, and with its answer. */
  readonly traceparent: string;
  /** As it came from the caller, to be passed on. */
  readonly tracestate: string | undefined;
}

const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const zeroTrace = "0".repeat(32);
const zeroSpan = "0".repeat(16);
const maxTracestateLength = 512;

/** Strict (W3C Trace Context section 3.2): undefined for anything that is not a valid parent. */
export function parseTraceparent(
  header: string | undefined,
): { readonly traceId: string; readonly spanId: string; readonly sampled: boolean } | undefined {
  const [, version, traceId, spanId, flags, rest] = (header === undefined ? null : form.exec(header)) ?? [];
  if (version === undefined || traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  if (version === "ff" || (version === "00" && rest !== undefined)) return undefined;
  if (traceId === zeroTrace || spanId === zeroSpan) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** Continues the caller's trace, or begins one. @param wallMs milliseconds since the epoch */
export function createTracer(randomHex: (bytes: number) => string = createRandomHex(), wallMs = Date.now) {
  const timeHex = createTimeHex();
  return (traceparent: string | undefined, tracestate?: string | undefined): Trace => {
    const parent = parseTraceparent(traceparent);
    const spanId = randomHex(8);
    // The time stands in front, so that an index over trace ids grows at its end. Random have to be the right-most seven
    // bytes only (W3C Trace Context level 2, "Randomness of trace-id"); ten are.
    const traceId = parent?.traceId ?? timeHex(wallMs()) + randomHex(10);
    const sampled = parent?.sampled ?? true;
    return {
      traceId,
      spanId,
      parentSpanId: parent?.spanId,
      sampled,
      traceparent: `00-${traceId}-${spanId}-${sampled ? "01" : "00"}`,
      tracestate: parent === undefined ? undefined : boundedState(tracestate),
    };
  };
}

function boundedState(tracestate: string | undefined): string | undefined {
  return tracestate !== undefined && tracestate.length <= maxTracestateLength ? tracestate : undefined;
}

/** Milliseconds since the epoch as six bytes in hex, made anew only when a millisecond has passed. */
function createTimeHex(): (ms: number) => string {
  let at = -1;
  let text = "";
  return (ms) => {
    if (ms !== at) {
      at = ms;
      text = ms.toString(16).padStart(12, "0");
    }
    return text;
  };
}

/** Random bytes as hex, drawn from a pool: one call to the system for some hundred requests. */
export function createRandomHex(poolBytes = 4096): (bytes: number) => string {
  const pool = Buffer.allocUnsafe(poolBytes);
  let used = poolBytes;
  return (bytes) => {
    if (used + bytes > poolBytes) {
      randomFillSync(pool);
      used = 0;
    }
    used += bytes;
    return pool.toString("hex", used - bytes, used);
  };
}
