import { EventStreamCodec } from "@smithy/eventstream-codec";
import { fromUtf8, toUtf8 } from "@smithy/util-utf8";

const codec = new EventStreamCodec(toUtf8, fromUtf8);

/** One event of `application/vnd.amazon.eventstream`, with both checksums. */
export function eventFrame(type: string, payload: unknown): Buffer {
  return frame({ ":message-type": "event", ":event-type": type, ":content-type": "application/json" }, payload);
}

/** A failure in the middle of a stream, after the 200 was sent. */
export function exceptionFrame(type: string, message: string): Buffer {
  return frame(
    { ":message-type": "exception", ":exception-type": type, ":content-type": "application/json" },
    { message },
  );
}

function frame(headers: Readonly<Record<string, string>>, payload: unknown): Buffer {
  const typed = Object.entries(headers).map(([name, value]) => [name, { type: "string" as const, value }] as const);
  return Buffer.from(codec.encode({ headers: Object.fromEntries(typed), body: Buffer.from(JSON.stringify(payload)) }));
}
