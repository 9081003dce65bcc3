import { afterEach, describe, expect, test } from "vitest";
import {
  type Answer,
  masterKey,
  startTestGateway,
  type TestGateway,
  type TestGatewayOptions,
} from "./testing/gateway.ts";

const opened: TestGateway[] = [];
afterEach(async () => {
  for (const gateway of opened.splice(0).reverse()) await gateway.close();
});

/** The first takes a free port; each further one the same, with the same issuer and provider. */
async function join(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const [first] = opened;
  const shared = first === undefined ? {} : { issuer: first.issuer, upstream: first.upstream };
  const port = first === undefined ? {} : { GATEWAY_PORT: String(first.gateway.port) };
  const gateway = await startTestGateway({ ...shared, ...options, env: { ...port, ...options.env } });
  opened.push(gateway);
  return gateway;
}

/** A connection for each, as the system deals out connections and not requests. */
async function chats(gateway: TestGateway, count: number): Promise<readonly Answer[]> {
  const token = await gateway.token();
  const body = { model: "claude", messages: [{ role: "user", content: "Who is Bob?" }] };
  const one = () => gateway.call("/v1/chat/completions", { token, body, headers: { connection: "close" } });
  return Promise.all(Array.from({ length: count }, one));
}

const answered = ({ logs }: TestGateway): number => logs.requests().filter(({ status }) => status === 200).length;
const reuse = { REUSE_PORT: "true" };
/** That one of two gets them all by chance: once in 2^63. */
const connections = 64;

describe("two gateways on one port, by REUSE_PORT", () => {
  test("share its connections, and one goes on when the other has ended", async () => {
    const [first, second] = [await join({ env: reuse }), await join({ env: reuse })];
    expect(second.gateway.port).toBe(first.gateway.port);
    expect((await chats(first, connections)).map(({ status }) => status)).toEqual(Array(connections).fill(200));
    await expect.poll(() => answered(first) + answered(second)).toBe(connections);
    expect(Math.min(answered(first), answered(second))).toBeGreaterThan(0);

    const before = answered(first);
    await second.gateway.close();
    expect((await chats(first, 8)).map(({ status }) => status)).toEqual(Array(8).fill(200));
    await expect.poll(() => answered(first)).toBe(before + 8);
  });

  test("may share their data folder: each row is there once, in two chains", async () => {
    const first = await join({ env: reuse });
    const second = await join({ env: reuse, dataDir: first.dataDir });
    await chats(first, connections);
    for (const { gateway } of [first, second]) expect(await gateway.flush(10_000)).toBe(true);
    const { json } = await first.call("/audit/events?limit=1000", { token: masterKey });
    const rows: { readonly route: string; readonly writer_id: string }[] = json.events;
    const ours = rows.filter(({ route }) => route === "POST /v1/chat/completions");
    expect(ours).toHaveLength(connections);
    expect(new Set(ours.map(({ writer_id: writer }) => writer)).size).toBe(2);
  });

  test("count limits by themselves without Redis: each lets through what the rule says", async () => {
    const limited = `
issuers: [{ issuer: "{issuer}", audience: llm-gateway }]
model_list: [{ model_name: claude, litellm_params: { model: bedrock/amazon.nova-lite-v1:0, aws_region_name: us-east-1 } }]
access: { users: { "*": { rpm: 3 } } }
`;
    const first = await join({ env: reuse, yaml: limited });
    const second = await join({ env: reuse, yaml: limited });
    await chats(first, connections);
    await expect.poll(() => first.logs.requests().length + second.logs.requests().length).toBe(connections);
    expect([answered(first), answered(second)]).toEqual([3, 3]);
  });

  test.each([
    ["the second does not ask for it", reuse, {}],
    ["the first does not ask for it", {}, reuse],
    ["neither asks for it", {}, {}],
  ])("are refused when %s, naming the variable", async (_, ofFirst, ofSecond) => {
    await join({ env: ofFirst });
    await expect(join({ env: ofSecond })).rejects.toMatchObject({
      name: "ConfigError",
      problems: [{ name: "GATEWAY_PORT", problem: expect.stringContaining("is taken by another program") }],
    });
  });
});
