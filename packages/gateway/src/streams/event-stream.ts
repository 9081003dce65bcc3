import { crc32 } from "node:zlib";

/** A header value of the AWS event-stream encoding; the protocol of Bedrock itself uses strings only. */
type HeaderValue = string | number | bigint | boolean | Buffer;

/** By name, with AWS's typed values. */
export type FrameHeaders = Readonly<Record<string, HeaderValue>>;

/** The bytes are not a well-formed event stream. The connection is of no use afterwards. */
export class FrameError extends Error {
  override readonly name = "FrameError";
}

/** For every stream of such frames, whoever made it. */
export const frameStreamHeaders = {
  "content-type": "application/vnd.amazon.eventstream",
  // Reverse proxies that buffer would turn a stream into one late answer.
  "x-accel-buffering": "no",
} as const;

const preludeBytes = 12;
const checksumBytes = 4;
/** AWS's own bounds: 128 KiB of headers, 24 MiB in one message. */
const maxHeaderBytes = 128 * 1024;
const maxFrameBytes = 24 * 1024 * 1024;
const maxKnownHeaders = 16;
const stringType = 7;

/** The frame that is being read; good until the reader goes on. */
export interface Frame {
  /** The payload as text. */
  text(): string;
  /** Bytes of the payload. */
  size(): number;
  /** The frame as it came; a view into the chunk. */
  whole(): Buffer;
}

/**
 * Takes `application/vnd.amazon.eventstream` bytes in any split and hands on whole frames, both checksums checked. What
 * it hands on is one object that looks at a place in the chunk, because a stream has a frame for every few words.
 */
export function createFrameReader(onFrame: (headers: FrameHeaders, frame: Frame) => void) {
  const parseHeaders = createHeaderParser();
  let parts: Buffer[] = [];
  let held = 0;
  let needed = preludeBytes;
  let bytes: Buffer = Buffer.alloc(0);
  let [begin, payload, end] = [0, 0, 0];
  const frame: Frame = {
    text: () => bytes.toString("utf8", payload, end),
    size: () => end - payload,
    whole: () => bytes.subarray(begin, end + checksumBytes),
  };

  /** @throws FrameError */
  const push = (chunk: Buffer): void => {
    bytes = chunk;
    if (held > 0) {
      parts.push(chunk);
      held += chunk.length;
      if (held < needed) return;
      bytes = parts.length === 1 ? chunk : Buffer.concat(parts, held);
      parts = [];
      held = 0;
    }
    let at = 0;
    while (bytes.length - at >= preludeBytes) {
      const length = frameLength(bytes, at);
      if (bytes.length - at < length) {
        needed = length;
        break;
      }
      begin = at;
      end = at + length - checksumBytes;
      payload = at + preludeBytes + bytes.readUInt32BE(at + 4);
      if (crc32(bytes.subarray(at, end)) !== bytes.readUInt32BE(end))
        throw new FrameError("the checksum of a frame is wrong");
      onFrame(parseHeaders(bytes, at + preludeBytes, payload), frame);
      at += length;
      needed = preludeBytes;
    }
    if (at < bytes.length) {
      parts = [at === 0 ? bytes : bytes.subarray(at)];
      held = bytes.length - at;
    }
  };
  return {
    push,
    /** True between frames: a stream that ends here was not cut. */
    atBoundary: () => held === 0,
    /** Nothing more comes. @returns what was no frame, in words; empty when the stream ended between frames */
    end: () => (held === 0 ? "" : "part of a frame"),
  };
}

function frameLength(bytes: Buffer, at: number): number {
  if (crcOfLengths(bytes, at) !== bytes.readUInt32BE(at + 8)) {
    throw new FrameError("the checksum of a frame's prelude is wrong");
  }
  const length = bytes.readUInt32BE(at);
  const headersLength = bytes.readUInt32BE(at + 4);
  if (length > maxFrameBytes) throw new FrameError("a frame is larger than 24 MiB");
  if (headersLength > maxHeaderBytes || preludeBytes + headersLength + checksumBytes > length) {
    throw new FrameError("the headers of a frame do not fit into it");
  }
  return length;
}

/** zlib's remainders of single bytes, to divide the two lengths here: for eight bytes its call is most of its cost. */
const remainders = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit += 1) remainder = remainder & 1 ? (remainder >>> 1) ^ 0xedb88320 : remainder >>> 1;
  return remainder;
});

function crcOfLengths(bytes: Buffer, at: number): number {
  let crc = 0xffffffff;
  for (let index = at; index < at + 8; index += 1)
    crc = (crc >>> 8) ^ (remainders[(crc ^ (bytes[index] ?? 0)) & 0xff] ?? 0);
  return ~crc >>> 0;
}

/** One stream repeats few sets of headers, and mostly the one before: they are read once and told by their bytes. */
function createHeaderParser(): (bytes: Buffer, start: number, end: number) => FrameHeaders {
  const known: { readonly bytes: Buffer; readonly headers: FrameHeaders }[] = [];
  const isSame = (one: Buffer, bytes: Buffer, start: number, end: number): boolean =>
    one.length === end - start && bytes.compare(one, 0, one.length, start, end) === 0;
  let last = 0;
  return (bytes, start, end) => {
    const before = known[last];
    if (before !== undefined && isSame(before.bytes, bytes, start, end)) return before.headers;
    const found = known.findIndex((one) => isSame(one.bytes, bytes, start, end));
    if (found >= 0) {
      last = found;
      return known[found]?.headers ?? {};
    }
    const own = Buffer.from(bytes.subarray(start, end));
    const headers = readHeaders(own);
    if (known.length < maxKnownHeaders) {
      last = known.length;
      known.push({ bytes: own, headers });
    }
    return headers;
  };
}

function readHeaders(bytes: Buffer): FrameHeaders {
  const headers: Record<string, HeaderValue> = Object.create(null);
  let at = 0;
  while (at < bytes.length) {
    const nameEnd = at + 1 + (bytes[at] ?? 0);
    const name = bytes.toString("utf8", at + 1, nameEnd);
    const [value, next] = readValue(bytes, nameEnd);
    if (next > bytes.length) throw new FrameError("a header of a frame is cut off");
    if (name in headers) throw new FrameError("a frame carries a header twice");
    headers[name] = value;
    at = next;
  }
  return headers;
}

function readValue(bytes: Buffer, at: number): readonly [HeaderValue, next: number] {
  const type = bytes[at];
  const from = at + 1;
  const room = bytes.length - from;
  const need = (size: number): number => {
    if (room < size) throw new FrameError("a header of a frame is cut off");
    return from + size;
  };
  switch (type) {
    case 0:
      return [true, from];
    case 1:
      return [false, from];
    case 2:
      return [bytes.readInt8(need(1) - 1), from + 1];
    case 3:
      return [bytes.readInt16BE(need(2) - 2), from + 2];
    case 4:
      return [bytes.readInt32BE(need(4) - 4), from + 4];
    case 5:
    case 8:
      return [bytes.readBigInt64BE(need(8) - 8), from + 8];
    case 6: {
      const end = need(2) + bytes.readUInt16BE(from);
      return [Buffer.from(bytes.subarray(from + 2, end)), end];
    }
    case 7: {
      const end = need(2) + bytes.readUInt16BE(from);
      return [bytes.toString("utf8", from + 2, Math.min(end, bytes.length)), end];
    }
    case 9:
      return [Buffer.from(bytes.subarray(from, need(16))), from + 16];
    default:
      throw new FrameError("a header of a frame has a type that does not exist");
  }
}

/** Writes one frame with string headers, which is all Bedrock's protocol has. */
export function encodeFrame(headers: Readonly<Record<string, string>>, payload: string): Buffer {
  let headersLength = 0;
  const encoded = Object.entries(headers).map(([name, value]) => {
    const bytes = Buffer.allocUnsafe(4 + name.length + Buffer.byteLength(value));
    bytes[0] = name.length;
    bytes.write(name, 1, "latin1");
    bytes[1 + name.length] = stringType;
    bytes.writeUInt16BE(bytes.length - 4 - name.length, 2 + name.length);
    bytes.write(value, 4 + name.length);
    headersLength += bytes.length;
    return bytes;
  });
  const prelude = Buffer.allocUnsafe(preludeBytes);
  const body = Buffer.from(payload);
  prelude.writeUInt32BE(preludeBytes + headersLength + body.length + checksumBytes, 0);
  prelude.writeUInt32BE(headersLength, 4);
  prelude.writeUInt32BE(crc32(prelude.subarray(0, 8)), 8);
  const message = Buffer.concat([prelude, ...encoded, body, Buffer.allocUnsafe(checksumBytes)]);
  message.writeUInt32BE(crc32(message.subarray(0, -checksumBytes)), message.length - checksumBytes);
  return message;
}
