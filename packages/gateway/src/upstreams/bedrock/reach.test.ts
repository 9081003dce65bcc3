import { describe, expect, it } from "vitest";
import { type Reach, reachesNothing, refuseReach } from "./reach.ts";

const user = (...content: unknown[]) => ({ messages: [{ role: "user", content }] });
const open: Reach = { guarded: false, s3Prefixes: [] };
const refusalOf = (body: unknown, reach = open): unknown => {
  try {
    refuseReach(body, reach);
  } catch (error) {
    return error;
  }
  return undefined;
};

describe("what passes through to Bedrock", () => {
  it.each([
    [
      "an image in S3",
      user({ image: { format: "png", source: { s3Location: { uri: "s3://secrets/a.png" } } } }),
      "messages[0].content[0].image.source.s3Location.uri",
    ],
    [
      "a video in S3",
      user({ video: { source: { s3Location: { uri: "S3://secrets/a.mp4" } } } }),
      "messages[0].content[0].video.source.s3Location.uri",
    ],
    [
      "a family's own name for it",
      { mediaSource: { s3Location: { s3Uri: "s3://b/k" } } },
      "mediaSource.s3Location.s3Uri",
    ],
    [
      "a picture by address",
      user({ type: "image", source: { type: "url", url: "http://169.254.169.254/" } }),
      "messages[0].content[0].source",
    ],
    [
      "a picture by address in a tool's result",
      user({ type: "tool_result", content: [{ type: "image", source: { type: "url", url: "http://x/" } }] }),
      "messages[0].content[0].content[0].source",
    ],
  ])("reads nothing with the gateway's rights: %s", (_, body, param) => {
    expect(refusalOf(body)).toMatchObject({ code: "unsupported", param });
  });

  it.each([
    [
      "guardContent",
      user({ guardContent: { text: { text: "hi" } } }, { text: "the rest" }),
      "messages[0].content[0].guardContent",
    ],
    ["guardContent in the system prompt", { system: [{ guardContent: {} }] }, "system[0].guardContent"],
    ["a tag suffix", { "amazon-bedrock-guardrailConfig": { tagSuffix: "x" } }, "amazon-bedrock-guardrailConfig"],
  ])("does not narrow the operator's guardrail by %s", (_, body, param) => {
    expect(refusalOf(body, { ...open, guarded: true })).toMatchObject({ code: "unsupported", param });
    expect(refusalOf(body)).toBeUndefined();
  });

  it("may read what the operator allows, and no further", () => {
    const reach = { guarded: false, s3Prefixes: ["s3://shared/docs/"] };
    const at = (uri: string) => user({ document: { source: { s3Location: { uri } } } });
    expect(refusalOf(at("s3://shared/docs/a.pdf"), reach)).toBeUndefined();
    expect(refusalOf(at("s3://shared/docs/../a.pdf"), reach)).toMatchObject({ code: "unsupported" });
    expect(refusalOf(at("s3://shared/other.pdf"), reach)).toMatchObject({ code: "unsupported" });
  });

  it("may speak of such things", () => {
    const schema = { properties: { uri: { default: "s3://b/k" }, source: { type: "url" } } };
    const body = {
      ...user({ text: "Read s3://b/k" }, { toolUse: { toolUseId: "t", input: { uri: "s3://b/k" } } }),
      toolConfig: { tools: [{ toolSpec: { inputSchema: { json: schema } } }] },
    };
    expect(refusalOf(body, { ...open, guarded: true })).toBeUndefined();
  });
});

describe("whether bytes hold a name that decides it", () => {
  it.each([
    ["text alone", '{"messages":[{"content":[{"text":"Who is Bob?"}]}]}', true],
    ["a picture by its bytes", '{"image":{"source":{"bytes":"AA=="}}}', true],
    ["an address that is no source", '{"properties":{"url":{"type":"string"}}}', true],
    ["an address that is one", '{"image":{"source":{"type":"url","url":"https://example.com"}}}', false],
    ["an object in S3", '{"source":{"s3Location":{"uri":"s3://bucket/key"}}}', false],
    ["an object in S3 by its other name", '{"s3Uri":"s3://bucket/key"}', false],
    ["a part of a guardrail", '{"guardContent":{"text":{"text":"x"}}}', false],
    ["a guardrail's own settings", '{"amazon-bedrock-guardrailConfig":{"tagSuffix":"x"}}', false],
    ["a name in escaped letters", '{"\\u0075ri":"s3://bucket/key"}', false],
  ])("%s", (_, body, expected) => {
    const room = Buffer.from(`"uri"${body}"uri"`);
    expect(reachesNothing(Buffer.from(body))).toBe(expected);
    expect(reachesNothing(room.subarray(5, room.length - 5))).toBe(expected);
  });
});
