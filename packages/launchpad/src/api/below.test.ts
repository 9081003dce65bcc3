import type { Context } from "hono";
import { Response } from "undici";
import { expect, test } from "vitest";
import { createBelow } from "./below.ts";
import type { ApiEnv, Credentials } from "./credentials.ts";

const token = { accessToken: "t", tokenType: "Bearer", source: "fresh" };
const credentials = { reader: async () => ({ token: async () => token }) } as unknown as Credentials;
const context = { var: { trace: {}, requestId: "r" } } as unknown as Context<ApiEnv>;

/** What is said of the provider when these were the last calls, the newest first. */
async function bedrockAfter(...events: readonly object[]) {
  const below = createBelow(credentials, {
    send: async (_, path) => Response.json(path.includes("/events") ? { events } : { checks: [] }),
    ping: async () => {},
    close: async () => {},
  });
  return (await below.health(context)).find(({ name }) => name === "bedrock");
}

const call = (outcome: string, error_code: string | null, provider_model: string | null = "bedrock/x") => ({
  request_time: "2026-11-02T10:11:12.000Z",
  provider_model,
  outcome,
  error_code,
});

test("the provider is as the last call found it that reached it", async () => {
  expect(await bedrockAfter(call("error", "upstream_failed"), call("ok", null))).toMatchObject({
    status: "down",
    reason: "the last call, at 10:11:12 UTC, failed: upstream_failed",
  });
  expect(await bedrockAfter(call("denied", "forbidden", null), call("ok", null))).toMatchObject({ status: "ok" });
});

test.each(["upstream_invalid_request", "unsupported", "context_length_exceeded", "content_filtered"])(
  "a request that was refused as %s says nothing of the provider",
  async (code) => {
    expect(await bedrockAfter(call("error", code), call("ok", null))).toMatchObject({ status: "ok" });
    expect(await bedrockAfter(call("error", code), call("error", "upstream_denied"))).toMatchObject({ status: "down" });
  },
);
