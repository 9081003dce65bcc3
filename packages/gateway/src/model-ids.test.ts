import Anthropic from "@anthropic-ai/sdk";
import { BedrockRuntimeClient, ConverseCommand } from "@aws-sdk/client-bedrock-runtime";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startBedrock } from "../../sandbox/src/bedrock/index.ts";
import { testAws } from "./forward-testing.ts";
import { issuers, startTestGateway, type TestGateway } from "./testing/gateway.ts";

const id = "us.anthropic.claude-haiku-4-5-20251001-v1:0";
const yaml = `${issuers}
model_list:
  - { model_name: small, litellm_params: { model: "bedrock/${id}" } }
  - { model_name: nova, litellm_params: { model: bedrock/amazon.nova-lite-v1:0 } }
access:
  groups:
    users: { models: [small] }
    ids: { models: ["*anthropic*", "claude-*"] }
  models: { small: { rpm: 1000 } }
router_settings:
  model_group_alias: { gpt-4o-mini: small, secret: { model: small, hidden: true }, best: nova }
prices: { small: { input: 1000000, output: 0 } }
`;
const messages = [{ role: "user" as const, content: "Who is Bob?" }];

let bedrock: Awaited<ReturnType<typeof startBedrock>>;
let gateway: TestGateway;
beforeAll(async () => {
  bedrock = await startBedrock({ port: 0, ...testAws });
  gateway = await startTestGateway({
    yaml,
    env: {
      AWS_ENDPOINT_URL_BEDROCK_RUNTIME: bedrock.url,
      AWS_ACCESS_KEY_ID: testAws.accessKeyId,
      AWS_SECRET_ACCESS_KEY: testAws.secretAccessKey,
    },
  });
});
afterAll(async () => {
  await gateway.close();
  await bedrock.close();
});

const lastRow = async (token: string) => {
  const { json } = await gateway.call("/audit/events?limit=1", { token });
  return json.events[0];
};

describe("a model by the id its provider has for it", () => {
  test("is the configured one for Anthropic's SDK", async () => {
    const token = await gateway.token();
    const client = new Anthropic({ baseURL: gateway.url, authToken: token, apiKey: null, maxRetries: 0 });
    const answer = await client.messages.create({ model: "claude-haiku-4-5-20251001", max_tokens: 10, messages });
    expect(answer.content).not.toEqual([]);
    // Price, rights and record go by the name; what was asked for stands beside it.
    expect(await lastRow(token)).toMatchObject({
      model: "small",
      outcome: "ok",
      provider_model: `bedrock/${id}`,
      cost_usd: answer.usage.input_tokens,
      detail: { asked_model: "claude-haiku-4-5-20251001" },
    });
    expect(await client.models.retrieve("claude-haiku-4-5-20251001")).toMatchObject({ id: "small" });
  });

  test("is the configured one for AWS's SDK and for OpenAI's, whose answer calls it as the client did", async () => {
    const token = await gateway.token();
    const aws = new BedrockRuntimeClient({
      region: "us-east-1",
      endpoint: gateway.url,
      token: { token },
      authSchemePreference: ["httpBearerAuth"],
      requestHandler: new NodeHttpHandler(),
      maxAttempts: 1,
    });
    const said = await aws.send(
      new ConverseCommand({ modelId: id, messages: [{ role: "user", content: [{ text: "Who is Bob?" }] }] }),
    );
    expect(said.stopReason).toBe("end_turn");
    expect(await lastRow(token)).toMatchObject({ model: "small", detail: { asked_model: id } });
    const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: token, maxRetries: 0 });
    const chat = await openai.chat.completions.create({ model: id, messages });
    expect(chat.model).toBe(id);
    await openai.chat.completions.create({ model: "small", messages });
    expect(await lastRow(token)).toMatchObject({ model: "small", detail: {} });
  });

  test("gives no right that its name does not give, and takes none of its limits away", async () => {
    const user = await gateway.token();
    const refused = await gateway.chat(user, { model: "amazon.nova-lite-v1:0" });
    expect(refused.status).toBe(403);
    expect(refused.json.error.message).toBe("Not allowed: the groups [users] allow [small], not nova.");
    // Rights to ids are no rights to the name they are resolved to.
    const byIds = await gateway.token({ sub: "ida", groups: ["ids"] });
    expect((await gateway.chat(byIds, { model: id })).status).toBe(403);
    const allowed = await gateway.chat(user, { model: id });
    expect(allowed.headers.get("x-ratelimit-limit-requests")).toBe("1000");
    const explained = await gateway.call("/policy/explain", {
      token: user,
      body: { route: "POST /v1/messages", model: id },
    });
    expect(explained.json).toMatchObject({ allowed: true, model: "small", limits: [{ rpm: 1000 }] });
  });
});

describe("a model by an alias", () => {
  test("is listed unless it is hidden, and has the rights, limits and record of the name it stands for", async () => {
    const token = await gateway.token();
    const listed = await gateway.call("/v1/models", { token });
    expect(listed.json.data.map(({ id: name }: { id: string }) => name)).toEqual(["small", "gpt-4o-mini"]);
    for (const model of ["gpt-4o-mini", "secret"]) {
      const answer = await gateway.chat(token, { model });
      expect(answer.json.model).toBe(model);
      expect(answer.headers.get("x-ratelimit-limit-requests")).toBe("1000");
      expect(await lastRow(token)).toMatchObject({ model: "small", detail: { asked_model: model } });
    }
    expect((await gateway.chat(token, { model: "best" })).status).toBe(403);
    expect((await gateway.call("/v1/models/gpt-4o-mini", { token })).json.id).toBe("gpt-4o-mini");
    const profile = await gateway.call("/inference-profiles/gpt-4o-mini", { token });
    expect(profile.json.models).toEqual((await gateway.call("/inference-profiles/small", { token })).json.models);
    expect(profile.json.models.length).toBeGreaterThan(0);
  });
});

describe("a model that does not exist", () => {
  test.each([
    ["/v1/messages", { model: "claude-opus-9", max_tokens: 1, messages }],
    ["/v1/chat/completions", { model: "eu.anthropic.claude-haiku-4-5-20251001-v1:0", messages }],
    ["/model/us.anthropic.claude-opus-9-v1%3A0/converse", { messages: [] }],
  ])(
    "is not found by %s, whatever models the caller may use, and clients are told not to ask again",
    async (path, body) => {
      const answer = await gateway.call(path, { token: await gateway.token(), body });
      expect(answer.status).toBe(404);
      expect(answer.text).toContain("does not exist here");
      expect(answer.headers.get("x-should-retry")).toBe("false");
    },
  );

  test("is no way to learn of models for who may call none", async () => {
    const nobody = await gateway.token({ groups: [] });
    const [real, invented] = await Promise.all(
      ["small", "claude-opus-9"].map((model) => gateway.chat(nobody, { model })),
    );
    expect([real?.status, invented?.status]).toEqual([403, 403]);
    expect(invented?.json.error.message).toBe(real?.json.error.message);
  });
});

describe("an address that does not exist", () => {
  test("is told in the words of who asks: clients show others as nothing but a number", async () => {
    const token = await gateway.token();
    const openai = await gateway.call("/v1/completions", { token, body: {} });
    expect(openai).toMatchObject({
      status: 404,
      json: { error: { type: "invalid_request_error", code: "not_found" } },
    });
    const headers = { "anthropic-version": "2023-06-01" };
    for (const [path, extra] of [
      ["/v1/files", { headers }],
      ["/anthropic/v1/files", {}],
    ] as const) {
      const anthropic = await gateway.call(path, { token, ...extra });
      expect(anthropic).toMatchObject({ status: 404, json: { type: "error", error: { type: "not_found_error" } } });
    }
    const aws = await gateway.call("/model/nova/nothing", { token, body: {} });
    expect([aws.status, aws.headers.get("x-amzn-errortype")]).toEqual([404, "ResourceNotFoundException"]);
    expect((await gateway.call("/nothing", { token })).json).toMatchObject({ error: "not_found" });
  });

  // DSPy's Anthropic wants a base URL with /v1, Anthropic's own SDK one without.
  test.each([
    ["/messages", "/v1/messages"],
    ["/v1/v1/messages", "/v1/messages"],
    ["/v1/messages/count_tokens/count_tokens", undefined],
    ["/v1/chat/completions/chat/completions", "/v1/chat/completions"],
    ["/api/v1/responses", "/v1/responses"],
    ["/v1/model/small/converse", "/model/:id/converse"],
  ])("names the one that is meant where a base URL is wrong: %s", async (path, meant) => {
    const answer = await gateway.call(path, { token: await gateway.token(), body: {} });
    expect(answer.status).toBe(404);
    if (meant === undefined) expect(answer.text).not.toContain("base URL");
    else expect(answer.json.error?.message ?? answer.json.message).toContain(`base URL to reach ${meant}.`);
  });
});

describe("refusals say whether to ask again", () => {
  const shouldRetry = async (token: string, model = "small") =>
    (await gateway.chat(token, { model })).headers.get("x-should-retry");

  test("not where the same token can only be refused again", async () => {
    expect(await shouldRetry(`${await gateway.token()}x`)).toBe("false");
    expect(await shouldRetry(await gateway.token({ aud: "other" }))).toBe("false");
    expect(await shouldRetry(await gateway.token({ groups: [] }))).toBe("false");
    expect(await shouldRetry(await gateway.token(), "nova")).toBe("false");
    expect((await gateway.chat(await gateway.token(), { messages: "x" })).headers.get("x-should-retry")).toBe("false");
  });

  test("nothing where a fresh token may help: clients fetch one when they are refused, and try again", async () => {
    const past = Math.floor(Date.now() / 1000) - 3600;
    const expired = await gateway.chat(await gateway.token({ iat: past - 60, exp: past }));
    expect(expired.status).toBe(401);
    expect(expired.headers.get("x-should-retry")).toBeNull();
    const unknownKey = await gateway.chat("sk-unknown-0123456789abcdef0123");
    expect(unknownKey.status).toBe(401);
    expect(unknownKey.headers.get("x-should-retry")).toBeNull();
  });
});
