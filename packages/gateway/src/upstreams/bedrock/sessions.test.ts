import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { bedrockSettings } from "../../deployments.ts";
import { startForwarding, testCaller } from "../../forward-testing.ts";
import { createSessions } from "./sessions.ts";

const roleArn = "arn:aws:iam::123456789012:role/gateway-users";
const own = { accessKeyId: "AKIAOWN", secretAccessKey: "own-secret" };

let url: string;
/** What was asked of STS. */
let asked: { form: Record<string, string>; authorization: string }[];
/** What STS answers instead of a session. */
let failure: { status: number; code: string } | undefined;
let sessionMinutes: number;
/** Keys that Bedrock takes no more. */
let spent: Set<string>;
const closing: (() => Promise<void> | void)[] = [];

beforeEach(async () => {
  asked = [];
  failure = undefined;
  sessionMinutes = 60;
  spent = new Set();
  const server = createServer(async (incoming, outgoing) => {
    let body = "";
    for await (const part of incoming) body += part;
    const authorization = String(incoming.headers.authorization);
    if (incoming.url?.startsWith("/model/") === true) {
      const key = /Credential=(\w+)/.exec(authorization)?.[1] ?? "";
      if (spent.has(key)) {
        outgoing.writeHead(403, { "x-amzn-errortype": "ExpiredTokenException" });
        outgoing.end('{"message":"The security token included in the request is expired"}');
        return;
      }
      outgoing.writeHead(200, { "content-type": "application/json" });
      outgoing.end('{"output":{"message":{"role":"assistant","content":[{"text":"Hi"}]}},"stopReason":"end_turn"}');
      return;
    }
    asked.push({ form: Object.fromEntries(new URLSearchParams(body)), authorization });
    if (failure !== undefined) {
      outgoing.writeHead(failure.status, { "content-type": "text/xml" });
      outgoing.end(`<ErrorResponse><Error><Code>${failure.code}</Code><Message>no</Message></Error></ErrorResponse>`);
      return;
    }
    const ends = new Date(Date.now() + sessionMinutes * 60_000).toISOString();
    outgoing.writeHead(200, { "content-type": "text/xml" });
    outgoing.end(`<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
<AccessKeyId>ASIA${asked.length}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>
<Expiration>${ends}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
});
afterEach(async () => {
  vi.useRealTimers();
  for (const close of closing.splice(0).reverse()) await close();
});

const open = (more: object = {}) =>
  createSessions(bedrockSettings.parse({ assume_role_arn: roleArn, sts_endpoint: url, ...more }), roleArn);

it("STS is asked for a session in the user's name, tagged with him, once for all his calls", async () => {
  const sessions = open({ session_duration_seconds: 900 });
  const calls = Array.from({ length: 30 }, () => sessions.of(testCaller, own, "eu-west-1"));
  expect(new Set((await Promise.all(calls)).map(({ accessKeyId }) => accessKeyId))).toEqual(new Set(["ASIA1"]));
  expect(await sessions.of({ ...testCaller, userId: "bob", subject: "bob" }, own, "eu-west-1")).toMatchObject({
    accessKeyId: "ASIA2",
    sessionToken: "t",
  });
  expect(asked).toHaveLength(2);
  expect(asked[0]?.form).toEqual({
    Action: "AssumeRole",
    Version: "2011-06-15",
    RoleArn: roleArn,
    RoleSessionName: "alice",
    DurationSeconds: "900",
    "Tags.member.1.Key": "user",
    "Tags.member.1.Value": "alice",
    "Tags.member.2.Key": "issuer",
    "Tags.member.2.Value": "https://issuer.example",
    "Tags.member.3.Key": "subject",
    "Tags.member.3.Value": "alice",
    "Tags.member.4.Key": "team",
    "Tags.member.4.Value": "blue",
    "Tags.member.5.Key": "client",
    "Tags.member.5.Value": "voicebox",
  });
  expect(asked[0]?.authorization).toMatch(/^AWS4-HMAC-SHA256 Credential=AKIAOWN\/\d{8}\/eu-west-1\/sts\/aws4_request/);
});

it.each([
  [403, "AccessDenied", "upstream_denied"],
  [400, "ValidationError", "upstream_denied"],
  [400, "Throttling", "upstream_unavailable"],
  [503, "ServiceUnavailable", "upstream_unavailable"],
])("a %i %s of STS is %s, and no call goes out", async (status, code, expected) => {
  failure = { status, code };
  await expect(open().of(testCaller, own, "eu-west-1")).rejects.toMatchObject({ code: expected });
});

it("a session is renewed beside the calls, and one that cannot be holds to its end", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  const sessions = open();
  const one = { accessKeyId: "ASIA1" };
  expect(await sessions.of(testCaller, own, "eu-west-1")).toMatchObject(one);
  vi.setSystemTime(Date.now() + 56 * 60_000);
  failure = { status: 403, code: "AccessDenied" };
  expect(sessions.of(testCaller, own, "eu-west-1")).toMatchObject(one);
  // Or more: the server's own clock stands still, and AWS's client makes up for the difference.
  await vi.waitFor(() => expect(asked.length).toBeGreaterThan(1), 10_000);
  expect(sessions.of(testCaller, own, "eu-west-1")).toMatchObject(one);
  failure = undefined;
  await vi.waitFor(() => {
    vi.setSystemTime(Date.now() + 11_000);
    expect(sessions.of(testCaller, own, "eu-west-1")).not.toMatchObject(one);
  });
});

it("a session that AWS takes no more fails no call", async () => {
  const gateway = await startForwarding({
    bedrockUrl: url,
    bedrock: { assume_role_arn: roleArn, sts_endpoint: url },
    models: [{ model_name: "m", litellm_params: { model: "bedrock/amazon.nova-lite-v1:0" } }],
  });
  closing.push(() => gateway.close());
  const ask = () =>
    fetch(`${gateway.url}/v1/chat/completions`, {
      method: "POST",
      body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "Hi" }] }),
    }).then(({ status }) => status);
  expect(await ask()).toBe(200);
  spent.add("ASIA1");
  expect(await Promise.all(Array.from({ length: 10 }, ask))).toEqual(Array(10).fill(200));
  expect(asked).toHaveLength(2);
});
