import { BedrockClient, ListInferenceProfilesCommand } from "@aws-sdk/client-bedrock";
import {
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
  InvokeModelCommand,
} from "@aws-sdk/client-bedrock-runtime";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startBedrock } from "../../../../sandbox/src/bedrock/index.ts";
import { testAws } from "../../forward-testing.ts";
import { issuers, startTestGateway, type TestGateway } from "../../testing/gateway.ts";

const nova = "us.amazon.nova-lite-v1:0";
const yaml = `${issuers}
model_list:
  - { model_name: nova, litellm_params: { model: "bedrock/${nova}" } }
  - { model_name: team/nova_2:1, litellm_params: { model: "bedrock/${nova}" } }
  - { model_name: secret, litellm_params: { model: "bedrock/${nova}" } }
  - { model_name: "arn:aws:bedrock:us-east-1:123456789012:inference-profile/*", litellm_params: { model: "bedrock/*" } }
access:
  groups:
    users: { models: [nova, "team/*"] }
    careless: { models: ["arn:*"] }
    guests: { models: [nova], routes: ["/model/{id}/invoke"] }
`;
const arnOf = (name: string) => `arn:aws:bedrock:::inference-profile/${name}`;
const messages = [{ role: "user" as const, content: [{ text: "Hello there" }] }];

let bedrock: Awaited<ReturnType<typeof startBedrock>>;
let gateway: TestGateway;
beforeAll(async () => {
  bedrock = await startBedrock({ port: 0, eventDelayMs: 1, rules: [], ...testAws });
  gateway = await startTestGateway({
    yaml,
    env: {
      AWS_ACCESS_KEY_ID: testAws.accessKeyId,
      AWS_SECRET_ACCESS_KEY: testAws.secretAccessKey,
      AWS_ENDPOINT_URL_BEDROCK_RUNTIME: bedrock.url,
    },
  });
});
afterAll(async () => {
  await gateway.close();
  await bedrock.close();
});

const tokenOf = (group: string) => gateway.token({ sub: group, groups: [group] });
const connection = async (group: string) => ({
  region: "us-east-1",
  endpoint: gateway.url,
  token: { token: await tokenOf(group) },
  authSchemePreference: ["httpBearerAuth"],
  requestHandler: new NodeHttpHandler(),
  maxAttempts: 1,
});
const converse = async (modelId: string, group = "users") =>
  new BedrockRuntimeClient(await connection(group)).send(new ConverseCommand({ modelId, messages }));
const newest = async (group = "users") =>
  (await gateway.call("/audit/events?limit=1", { token: await tokenOf(group) })).json.events[0];

describe("the ARN of a listed inference profile as modelId, by the real AWS SDK", () => {
  test("is the name it stands for: whole, streamed, and in the record", async () => {
    const list = await new BedrockClient(await connection("users")).send(new ListInferenceProfilesCommand({}));
    const profiles = list.inferenceProfileSummaries ?? [];
    expect(profiles.map(({ inferenceProfileArn: arn }) => arn)).toEqual([arnOf("nova"), arnOf("team/nova_2:1")]);
    const runtime = new BedrockRuntimeClient(await connection("users"));
    for (const { inferenceProfileArn: modelId, inferenceProfileId: model } of profiles) {
      const whole = await runtime.send(new ConverseCommand({ modelId, messages }));
      expect(whole.output?.message?.content?.[0]?.text, modelId).toContain("Hello there");
      expect(await newest()).toMatchObject({
        model,
        provider_model: `bedrock/${nova}`,
        route: "POST /model/:id/converse",
      });

      const streamed = await runtime.send(new ConverseStreamCommand({ modelId, messages }));
      let text = "";
      for await (const event of streamed.stream ?? []) text += event.contentBlockDelta?.delta?.text ?? "";
      expect(text, modelId).toContain("Hello there");
      expect(await newest()).toMatchObject({
        model,
        provider_model: `bedrock/${nova}`,
        route: "POST /model/:id/converse-stream",
      });
    }
  });

  test("is served by invoke to one who may do nothing else", async () => {
    const body = JSON.stringify({ messages, inferenceConfig: { max_new_tokens: 100 } });
    const runtime = new BedrockRuntimeClient(await connection("guests"));
    const answer = await runtime.send(new InvokeModelCommand({ modelId: arnOf("nova"), body }));
    expect(Buffer.from(answer.body).toString()).toContain("Hello there");
    await expect(converse(arnOf("nova"), "guests")).rejects.toMatchObject({ name: "AccessDeniedException" });
  });

  test.each([
    { name: "secret", kind: "AccessDeniedException", httpStatusCode: 403, outcome: "denied" },
    { name: "nobody", kind: "ResourceNotFoundException", httpStatusCode: 404, outcome: "error" },
  ])("is refused for $name as the name is, and nothing is forwarded", async ({ name, outcome, ...refusal }) => {
    const told = async (modelId: string) =>
      converse(modelId).then(
        () => "served",
        ({ name: kind, message, $metadata: { httpStatusCode } }) => ({ kind, message, httpStatusCode }),
      );
    const byName = await told(name);
    expect(byName).toMatchObject(refusal);
    expect(await told(arnOf(name))).toEqual(byName);
    expect(await newest()).toMatchObject({ model: name, provider_model: null, outcome });
  });

  test("is not what a right to ARNs opens", async () => {
    await expect(converse(arnOf("secret"), "careless")).rejects.toMatchObject({ name: "AccessDeniedException" });
  });

  test("is taken off once: an ARN in an ARN is no name here", async () => {
    await expect(converse(arnOf(arnOf("nova")))).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  });

  test("of a region and an account is AWS's own, and stays what it is", async () => {
    const arn = `arn:aws:bedrock:us-east-1:123456789012:inference-profile/${nova}`;
    await expect(converse(arn)).rejects.toMatchObject({ name: "AccessDeniedException" });
    expect((await converse(arn, "careless")).stopReason).toBe("end_turn");
    expect(await newest("careless")).toMatchObject({ model: arn, provider_model: `bedrock/${nova}` });
  });

  test.each([arnOf(""), arnOf("../nova"), arnOf("a//b")])("%s is no address", async (modelId) => {
    await expect(converse(modelId)).rejects.toMatchObject({
      name: "ValidationException",
      $metadata: { httpStatusCode: 400 },
    });
  });
});
