import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Fault } from "./faults.ts";
import { eventFrame, exceptionFrame } from "./frames.ts";
import type { Incoming, Outgoing } from "./listener.ts";
import { asRefusal, Refusal } from "./refusal.ts";

const maxBodyBytes = 25 * 1024 * 1024;
const hostileEncodings = Array.from({ length: 1000 }, () => "gzip").join(", ");

export async function readBody(incoming: Incoming): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes)
      throw new Refusal(413, "RequestEntityTooLargeException", "The request is larger than 25 MB.");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

export function sendJson(
  outgoing: Outgoing,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const bytes = Buffer.from(JSON.stringify(body));
  outgoing.writeHead(status, {
    "content-type": "application/json",
    "content-length": String(bytes.length),
    "x-amzn-requestid": randomUUID(),
    ...headers,
  });
  outgoing.end(bytes);
}

export function sendXml(outgoing: Outgoing, body: string): void {
  const bytes = Buffer.from(body);
  outgoing.writeHead(200, { "content-type": "text/xml", "content-length": String(bytes.length) });
  outgoing.end(bytes);
}

export function sendError(outgoing: Outgoing, error: unknown): void {
  const { status, type, message, headers } = asRefusal(error);
  sendJson(
    outgoing,
    status,
    { message },
    { "x-amzn-errortype": `${type}:http://internal.amazon.com/coral/com.amazon.bedrock/`, ...headers },
  );
}

/** Faults that take the place of an answer. @returns true when the call is over */
export async function failInstead(fault: Fault | undefined, outgoing: Outgoing, cut: () => void): Promise<boolean> {
  switch (fault?.fault) {
    case "throttle": {
      const headers = fault.retryAfter === undefined ? {} : { "retry-after": String(fault.retryAfter) };
      throw new Refusal(429, "ThrottlingException", "Too many requests, please wait before trying again.", headers);
    }
    case "not-ready":
      throw new Refusal(429, "ModelNotReadyException", "The model is not ready for inference requests.");
    case "unavailable":
      throw new Refusal(503, "ServiceUnavailableException", "The service is temporarily unavailable.");
    case "error":
      throw new Refusal(500, "InternalServerException", "An internal server error occurred. Retry your request.");
    case "denied":
      throw new Refusal(
        403,
        "AccessDeniedException",
        "You don't have access to the model with the specified model ID.",
      );
    case "drop":
      cut();
      return true;
    case "encoding":
      sendJson(outgoing, 200, {}, { "content-encoding": hostileEncodings });
      return true;
    case "garbage":
      outgoing.writeHead(200, { "content-type": "application/json" });
      outgoing.end(Buffer.from("<html>this is not JSON"));
      return true;
    case "stall":
      await sleep(fault.milliseconds);
      return false;
    default:
      return false;
  }
}

interface StreamPace {
  readonly delayMs: number;
  readonly fault: Fault | undefined;
  readonly cut: () => void;
}

/** Sends events one by one, with backpressure, at the pace and with the fault that were asked for. */
export async function sendEvents(
  outgoing: Outgoing,
  events: Iterable<readonly [string, unknown]>,
  pace: StreamPace,
): Promise<void> {
  outgoing.writeHead(200, { "content-type": "application/vnd.amazon.eventstream", "x-amzn-requestid": randomUUID() });
  let gone = false;
  outgoing.once("close", () => {
    gone = true;
  });
  let sent = 0;
  for (const [type, payload] of events) {
    if (gone) return;
    const frame = eventFrame(type, payload);
    if (
      pace.fault !== undefined &&
      sent === pace.fault.after &&
      (await failInside(pace.fault, frame, outgoing, pace.cut))
    )
      return;
    sent += 1;
    if (!outgoing.write(frame)) await drained(outgoing);
    if (pace.delayMs > 0) await sleep(pace.delayMs);
  }
  outgoing.end();
}

/** @returns true when the stream is over */
async function failInside(fault: Fault, frame: Buffer, outgoing: Outgoing, cut: () => void): Promise<boolean> {
  switch (fault.fault) {
    case "pause":
      await sleep(fault.milliseconds);
      return false;
    case "cut":
      outgoing.write(frame.subarray(0, frame.length - 7));
      // The bytes have to leave before the connection does.
      await sleep(20);
      cut();
      return true;
    case "end-early":
      outgoing.end();
      return true;
    case "bad-crc":
      frame[frame.length - 1] = (frame.at(-1) ?? 0) ^ 0xff;
      outgoing.write(frame);
      outgoing.end();
      return true;
    case "exception":
      outgoing.write(exceptionFrame(fault.type, "The stand-in was told to fail here."));
      outgoing.end();
      return true;
    default:
      return false;
  }
}

function drained(outgoing: Outgoing): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      outgoing.off("drain", done);
      outgoing.off("close", done);
      resolve();
    };
    outgoing.once("drain", done);
    outgoing.once("close", done);
  });
}
