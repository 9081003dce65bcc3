import { crc32 } from "node:zlib";
import { EventStreamCodec } from "@smithy/eventstream-codec";
import { fromUtf8, toUtf8 } from "@smithy/util-utf8";
import { describe, expect, it } from "vitest";
import { createFrameReader, FrameError, type FrameHeaders } from "./event-stream.ts";

function read(...chunks: readonly Buffer[]): { headers: FrameHeaders; payload: string }[] {
  const frames: { headers: FrameHeaders; payload: string }[] = [];
  const reader = createFrameReader((headers, frame) => frames.push({ headers: { ...headers }, payload: frame.text() }));
  for (const chunk of chunks) reader.push(chunk);
  return frames;
}

const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ""), "hex");
const json = "7b27666f6f273a27626172277d";

/** From AWS's published event-stream encoding vectors. */
const good: readonly (readonly [string, string, FrameHeaders, string])[] = [
  ["empty message", "00000010 00000000 05c248eb 7d98c8ff", {}, ""],
  ["int8 header", "00000017 00000007 29860158 0462797465 02ff c2f869dc", { byte: -1 }, ""],
  ["int16 header", "00000019 00000009 710e923e 0573686f7274 03ffff b27cb6cc", { short: -1 }, ""],
  ["int32 header", "0000001d 0000000d 83e3f0e7 07696e7465676572 04ffffffff 8b8e12eb", { integer: -1 }, ""],
  ["int64 header", "0000001e 0000000e 5d4adb8d 046c6f6e67 05ffffffffffffffff 4bc232da", { long: -1n }, ""],
  ["payload, no headers", `0000001d 00000000 fd528c5a ${json} c3653936`, {}, "{'foo':'bar'}"],
  [
    "payload, one string header",
    `0000003d 00000020 07fd8396 0c636f6e74656e742d74797065 070010 6170706c69636174696f6e2f6a736f6e ${json} 8d9c08b1`,
    { "content-type": "application/json" },
    "{'foo':'bar'}",
  ],
  [
    "all header types",
    `00000062 00000052 03b5cb9c 013000 013101 01320202 0133030003 01340400000004 0135050000000000000005
     0136060005 6279746573 0137070004 75746638 0138080000000000000008 0139 09 30313233343536373839616263646566 63353671`,
    {
      "0": true,
      "1": false,
      "2": 2,
      "3": 3,
      "4": 4,
      "5": 5n,
      "6": Buffer.from("bytes"),
      "7": "utf8",
      "8": 8n,
      "9": Buffer.from("0123456789abcdef"),
    },
    "",
  ],
  [
    "error message",
    `00000052 00000042 bf23637e 0d3a6d6573736167652d74797065 070005 6572726f72 0b3a6572726f722d636f6465 070004 636f6465
     0e3a6572726f722d6d657373616765 070007 6d657373616765 6b6cea3d`,
    { ":message-type": "error", ":error-code": "code", ":error-message": "message" },
    "",
  ],
];

const bad: readonly (readonly [string, string])[] = [
  ["corrupted length", `0100001d 00000000 fd528c5a ${json} c3653936`],
  ["corrupted payload", "0000001d 00000000 fd528c5a 7b27666f6f273a27626172278d c3653936"],
  [
    "corrupted headers",
    `0000003d 00000020 07fd8396 0c636f6e74656e742b74797065 070010 6170706c69636174696f6e2f6a736f6e ${json} 8d9c08b1`,
  ],
  [
    "corrupted header length",
    `0000003d ff000102 07fd8396 0c636f6e74656e742d74797065 070010 6170706c69636174696f6e2f6a736f6e ${json} 8d9c08b1`,
  ],
  ["duplicate header", "00000024 00000014 4bb982d0 0474657374 0461736466 0474657374 0461736466 f3f47563"],
];

describe("AWS's published event-stream vectors", () => {
  it.each(good)("%s", (_, bytes, headers, payload) => {
    expect(read(hex(bytes))).toEqual([{ headers, payload }]);
  });
  it.each(bad)("%s is refused", (_, bytes) => {
    expect(() => read(hex(bytes))).toThrow(FrameError);
  });
});

/** The first bytes of a frame, which tell its lengths and have a good checksum of their own. */
function prelude(length: number, headersLength: number): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt32BE(length, 0);
  bytes.writeUInt32BE(headersLength, 4);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 8)), 8);
  return bytes;
}

describe("lengths that are good only for filling memory", () => {
  const MiB = 1024 * 1024;
  it.each([
    ["a frame larger than 24 MiB", prelude(24 * MiB + 1, 0)],
    ["a frame of 4 GiB", prelude(0xffffffff, 0)],
    ["headers larger than 128 KiB", prelude(MiB, 128 * 1024 + 1)],
    ["headers larger than their frame", prelude(100, 100 - 12 - 4 + 1)],
    ["a frame shorter than its own frame", prelude(15, 0)],
  ])("%s is refused before it has come", (_, bytes) => {
    expect(() => read(bytes)).toThrow(FrameError);
  });

  it.each([
    ["a frame of 24 MiB", prelude(24 * MiB, 0)],
    ["headers of 128 KiB", prelude(MiB, 128 * 1024)],
    ["headers that fill their frame", prelude(100, 100 - 12 - 4)],
  ])("%s is waited for", (_, bytes) => {
    expect(read(bytes)).toEqual([]);
  });
});

describe("any split", () => {
  const stream = Buffer.concat(good.map(([, bytes]) => hex(bytes)));
  const whole = read(stream);

  it("at every byte gives the same frames", () => {
    expect(whole).toHaveLength(good.length);
    for (let at = 0; at <= stream.length; at += 1) {
      expect(read(stream.subarray(0, at), stream.subarray(at))).toEqual(whole);
    }
  });

  it("one byte at a time gives the same frames", () => {
    expect(read(...Array.from(stream, (_, at) => stream.subarray(at, at + 1)))).toEqual(whole);
  });

  it("knows a stream that was cut from one that ended", () => {
    const reader = createFrameReader(() => undefined);
    reader.push(stream.subarray(0, stream.length - 1));
    expect(reader.atBoundary()).toBe(false);
    reader.push(stream.subarray(stream.length - 1));
    expect(reader.atBoundary()).toBe(true);
  });
});

it("reads what Smithy's codec writes", () => {
  const codec = new EventStreamCodec(toUtf8, fromUtf8);
  for (const size of [0, 1, 1000, 200_000]) {
    const text = "é".repeat(size);
    const headers = {
      ":event-type": { type: "string" as const, value: "chunk" },
      n: { type: "integer" as const, value: size },
    };
    const bytes = Buffer.from(codec.encode({ headers, body: Buffer.from(text) }));
    const parts = [bytes.subarray(0, 40), bytes.subarray(40, 5000), bytes.subarray(5000)];
    expect(read(...parts)).toEqual([{ headers: { ":event-type": "chunk", n: size }, payload: text }]);
  }
});
