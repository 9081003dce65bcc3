import { expect, test } from "vitest";
import { noUsage, type Usage } from "../call.ts";
import { anthropicUsage } from "../dialects/anthropic/answer.ts";
import { encodeFrame } from "../streams/event-stream.ts";
import { claudeUsage } from "./anthropic/watch.ts";
import { converseUsage } from "./bedrock/answer.ts";
import { invokeUsage } from "./bedrock/invoke-usage.ts";
import { nativeStream } from "./bedrock/native-stream.ts";

const claude = {
  input_tokens: 5,
  output_tokens: 7,
  cache_creation_input_tokens: 900,
  cache_creation: { ephemeral_5m_input_tokens: 600, ephemeral_1h_input_tokens: 300 },
};
const expected: Usage = {
  ...noUsage,
  inputTokens: 5,
  outputTokens: 7,
  cacheWriteTokens: 900,
  cacheWriteHourTokens: 300,
};

test("what is written into the cache for an hour is told apart, as it is billed apart", () => {
  expect(claudeUsage(claude, noUsage)).toEqual(expected);
  // The end of a stream repeats the counts, and not how long the cache is kept.
  expect(claudeUsage({ output_tokens: 9, cache_creation_input_tokens: 900 }, expected)).toEqual({
    ...expected,
    outputTokens: 9,
  });
  expect(invokeUsage(Buffer.from(JSON.stringify({ usage: claude })), {})).toEqual(expected);
  expect(
    converseUsage({
      inputTokens: 5,
      outputTokens: 7,
      cacheWriteInputTokens: 900,
      cacheDetails: [
        { ttl: "5m", inputTokens: 600 },
        { ttl: "1h", inputTokens: 300 },
      ],
    }),
  ).toEqual(expected);
  expect(anthropicUsage(expected)).toMatchObject({ cache_creation: claude.cache_creation });
});

test("nothing is said of an hour where nothing is kept for one", () => {
  expect(claudeUsage({ ...claude, cache_creation: { ephemeral_1h_input_tokens: 0 } }, noUsage)).not.toHaveProperty(
    "cacheWriteHourTokens",
  );
  expect(converseUsage({ cacheWriteInputTokens: 9, cacheDetails: [{ ttl: "5m", inputTokens: 9 }] })).toEqual({
    ...noUsage,
    cacheWriteTokens: 9,
  });
  expect(anthropicUsage(noUsage)).not.toHaveProperty("cache_creation");
});

test("a native stream's last counts leave standing what its first said", () => {
  const stream = nativeStream(false);
  const chunk = (event: unknown): void => {
    const bytes = Buffer.from(JSON.stringify(event)).toString("base64");
    stream.push(encodeFrame({ ":message-type": "event", ":event-type": "chunk" }, JSON.stringify({ bytes })));
  };
  chunk({ type: "message_start", message: { usage: { ...claude, output_tokens: 1 } } });
  chunk({ "amazon-bedrock-invocationMetrics": { inputTokenCount: 5, outputTokenCount: 7 } });
  expect(stream.progress.usage).toEqual(expected);
});
