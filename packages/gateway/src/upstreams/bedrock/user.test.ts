import { afterEach, describe, expect, it } from "vitest";
import { startBedrock } from "../../../../sandbox/src/bedrock/index.ts";
import { type ForwardSetup, startForwarding, testAws, testCaller } from "../../forward-testing.ts";
import { carried, requestMetadata } from "./metadata.ts";
import { sessionIdentity } from "./sessions.ts";

describe("request metadata", () => {
  it.each([
    ["alice@example.com", "alice@example.com"],
    ["auth0|7f", "auth0=7C7f"],
    ["a=b", "a=3Db"],
    ["Zoë", "Zo=C3=AB"],
    ["al\u3000ice", "al=E3=80=80ice"],
    ["al\u00a0ice", "al=C2=A0ice"],
    ["al\u2028ice", "al=E2=80=A8ice"],
    ["al\tice", "al=09ice"],
    ["", ""],
  ])("carries %s as %s", (value, expected) => {
    expect(carried(value)).toBe(expected);
  });

  it("never makes one user of two, however long", () => {
    const [one, other] = [carried("x".repeat(400)), carried("x".repeat(401))];
    expect(one).not.toBe(other);
    expect(one.length).toBeLessThanOrEqual(256);
  });

  it("takes what the client sent after the gateway's own, as far as AWS takes it", () => {
    const client = {
      user: "mallory",
      project: "moon",
      "bad|name": "x",
      bad: "x|y",
      wide: "x\u3000y",
      "no\u00a0name": "x",
      ...Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`k${at}`, "v"])),
    };
    const metadata = requestMetadata(testCaller, client);
    expect(metadata).toMatchObject({
      user: "alice",
      team: "blue",
      client: "voicebox",
      trace_id: testCaller.traceId,
      project: "moon",
    });
    expect(Object.keys(metadata)).toHaveLength(16);
    for (const name of ["bad", "wide", "no\u00a0name"]) expect(metadata).not.toHaveProperty([name]);
  });
});

describe("role sessions", () => {
  it("are named and tagged after verified claims", () => {
    expect(sessionIdentity(testCaller)).toEqual({
      name: "alice",
      tags: { user: "alice", issuer: "https://issuer.example", subject: "alice", team: "blue", client: "voicebox" },
    });
  });
  it.each([
    ["user", { userId: "auth0|7f" }],
    ["user", { userId: "x".repeat(65) }],
    ["subject", { subject: "a|b" }],
    ["team", { teamId: "x".repeat(257) }],
  ])("are refused when the %s cannot be carried", (name, changed) => {
    expect(() => sessionIdentity({ ...testCaller, ...changed })).toThrow(new RegExp(`Your ${name} `));
  });
});

describe("what the provider sees", () => {
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  async function setUp(setup: Partial<ForwardSetup> = {}) {
    const bedrock = await startBedrock({ port: 0, eventDelayMs: 0, rules: [], ...testAws });
    closing.push(() => bedrock.close());
    const role = { assume_role_arn: "arn:aws:iam::123456789012:role/gateway-users", sts_endpoint: bedrock.url };
    const start = async (caller: ForwardSetup["caller"]) => {
      const models = [
        { model_name: "claude", litellm_params: { model: "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0" } },
      ];
      const gateway = await startForwarding({
        bedrockUrl: bedrock.url,
        models,
        bedrock: role,
        router: { num_retries: 0 },
        ...(caller === undefined ? {} : { caller }),
        ...setup,
      });
      closing.push(() => gateway.close());
      return gateway;
    };
    const calls = async () =>
      ((await (await fetch(`${bedrock.url}/sandbox/calls`)).json()) as { calls: Record<string, unknown>[] }).calls;
    return { start, calls };
  }
  const body = { model: "claude", max_tokens: 50, messages: [{ role: "user", content: "Hello" }] };
  const post = (url: string, path: string) => fetch(url + path, { method: "POST", body: JSON.stringify(body) });

  it("is the user, in the session and in the metadata of every operation", async () => {
    const { start, calls } = await setUp();
    const gateway = await start({});
    const statuses = await Promise.all([post(gateway.url, "/v1/chat/completions"), post(gateway.url, "/v1/messages")]);
    expect(statuses.map(({ status }) => status)).toEqual([200, 200]);
    const native = { messages: [{ role: "user", content: [{ text: "Hello" }] }] };
    await fetch(`${gateway.url}/model/claude/converse`, { method: "POST", body: JSON.stringify(native) });
    const seen = await calls();
    expect(seen.map(({ operation }) => operation).sort()).toEqual(["converse", "converse", "invoke"]);
    for (const call of seen) {
      expect(call).toMatchObject({
        arn: "arn:aws:sts::123456789012:assumed-role/gateway-users/alice",
        tags: { user: "alice", team: "blue", client: "voicebox" },
        requestMetadata: { user: "alice", team: "blue", trace_id: testCaller.traceId },
      });
    }
  });

  it("is each user in a session of his own", async () => {
    const { start, calls } = await setUp();
    const [alice, bob] = [await start({}), await start({ userId: "bob", subject: "bob" })];
    for (let turn = 0; turn < 3; turn += 1)
      await Promise.all([post(alice.url, "/v1/messages"), post(bob.url, "/v1/messages")]);
    const arns = (await calls()).map(({ arn, requestMetadata }) => [
      String(arn).split("/").at(-1),
      (requestMetadata as { user: string }).user,
    ]);
    expect(arns).toHaveLength(6);
    for (const [session, user] of arns) expect(session).toBe(user);
  });

  it("is nobody when a claim cannot be carried: the call is not made", async () => {
    const { start, calls } = await setUp();
    const gateway = await start({ userId: "auth0|7f" });
    const refused = await post(gateway.url, "/v1/messages");
    expect(refused.status).toBe(403);
    expect(await calls()).toEqual([]);
  });

  it.each(["/v1/messages", "/v1/chat/completions", "/model/claude/invoke"])(
    "is told in AWS's characters, whatever blanks a name has: %s",
    async (path) => {
      const { start, calls } = await setUp({ bedrock: {} });
      const gateway = await start({ userId: "al\u3000ice", clientId: "app\u2028one" });
      const { model: _, ...native } = { ...body, anthropic_version: "bedrock-2023-05-31" };
      const answer = path.startsWith("/model")
        ? await fetch(gateway.url + path, { method: "POST", body: JSON.stringify(native) })
        : await post(gateway.url, path);
      expect(answer.status).toBe(200);
      const told = { user: "al=E3=80=80ice", client: "app=E2=80=A8one" };
      expect((await calls())[0]).toMatchObject({ requestMetadata: told });
    },
  );

  it("is not told when the operator does not want it", async () => {
    const { start, calls } = await setUp({ bedrock: { request_metadata: false } });
    const gateway = await start({});
    await post(gateway.url, "/v1/chat/completions");
    expect((await calls())[0]).toMatchObject({ arn: "arn:aws:iam::000000000000:user/sandbox", tags: {} });
    expect((await calls())[0]).not.toHaveProperty("requestMetadata");
  });
});
