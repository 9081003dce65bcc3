import { type RedisServer, startRedis } from "@onbehalf/service-kit/testing";
import { start, type VoiceboxService } from "@onbehalf/voicebox";
import { createClient } from "redis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Bench, startBench } from "./service.ts";

let redis: RedisServer;
let bench: Bench;
let second: VoiceboxService;
const secret = "a-secret-of-more-than-thirty-two-characters";

beforeAll(async () => {
  redis = await startRedis();
  const env = { REDIS_URL: redis.url, ENCRYPTION_SECRET: secret };
  bench = await startBench({ env });
  second = await start({ ...bench.env, ...env }, bench.logs);
});
afterAll(async () => {
  await second?.close();
  await bench?.close();
  await redis?.stop();
});

const askSecond = (token: string, body: Record<string, unknown> = { query: "Who?" }) =>
  fetch(`${second.url}/api/v1/voicebox/ask`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
  });

describe("two replicas with one Redis", () => {
  it("share exchanged tokens, so that the second makes no exchange of its own", async () => {
    const token = await bench.token({ sub: "shared" });
    await bench.ask(token);
    const before = bench.gatewayIssuer.hits("token");
    expect((await askSecond(token)).status).toBe(200);
    expect(bench.gatewayIssuer.hits("token")).toBe(before);
  });

  it("keep nothing readable there: no token, no question, no name", async () => {
    const token = await bench.token({ sub: "canary-subject" });
    await bench.ask(token, { query: "canary question" });
    const client = await createClient({ url: redis.url }).connect();
    const keys = await client.keys("*");
    const values = await Promise.all(keys.map((key) => client.dump(key)));
    client.destroy();
    expect(keys.length).toBeGreaterThan(1);
    const everything = keys.join() + values.map(String).join();
    expect(everything).not.toMatch(/canary|eyJ/);
  });

  it("share conversations", async () => {
    const token = await bench.token({ sub: "talker" });
    bench.gateway.behave(({ body }) => ({
      text: `heard ${body.messages.filter(({ role }) => role === "user").length}`,
    }));
    const { conversation_id } = (await (await bench.ask(token)).json()) as { conversation_id: string };
    expect(await (await askSecond(token, { query: "And?", conversation_id })).json()).toMatchObject({
      result: "heard 2",
    });
    bench.gateway.behave(undefined);
  });

  it("forget a user's tokens on both when the session ends on one", async () => {
    const token = await bench.token({ sub: "leaver" });
    await bench.ask(token);
    await fetch(`${second.url}/api/session`, { method: "DELETE", headers: { authorization: `Bearer ${token}` } });
    const before = bench.gatewayIssuer.hits("token");
    await bench.ask(token);
    expect(bench.gatewayIssuer.hits("token")).toBe(before + 1);
  });

  it("answer without Redis too, only less comfortably", async () => {
    const token = await bench.token({ sub: "alone" });
    await redis.down();
    const answered = await bench.ask(token);
    expect(answered.status).toBe(200);
    await redis.up();
  });
});
