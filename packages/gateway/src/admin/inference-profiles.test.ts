import {
  BedrockClient,
  GetInferenceProfileCommand,
  type InferenceProfileSummary,
  ListInferenceProfilesCommand,
  type ListInferenceProfilesCommandInput,
  paginateListInferenceProfiles,
} from "@aws-sdk/client-bedrock";
import { BedrockRuntimeClient, ConverseCommand } from "@aws-sdk/client-bedrock-runtime";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { issuers, startTestGateway, type TestGateway } from "../testing/gateway.ts";

const sonnet = "anthropic.claude-sonnet-4-5-20250929-v1:0";
const yaml = `${issuers}
model_list:
  - { model_name: nova, litellm_params: { model: "bedrock/amazon.nova-lite-v1:0" } }
  - { model_name: claude-sonnet-4.5, litellm_params: { model: "bedrock/us.${sonnet}", aws_region_name: us-west-2 } }
  - { model_name: "bedrock/claude_eu:1", litellm_params: { model: "bedrock/${sonnet}", aws_region_name: eu-west-1 } }
  - { model_name: gpt, litellm_params: { model: openai/gpt-4.1, api_base: "http://localhost:1", api_key: none } }
  - { model_name: secret, litellm_params: { model: "bedrock/eu.${sonnet}" } }
  - { model_name: of two words, litellm_params: { model: "bedrock/${sonnet}" } }
  - { model_name: "any-*", litellm_params: { model: "bedrock/*" } }
access:
  groups:
    users: { models: [nova, "*claude*", gpt, "of *", "any-*"] }
    secretaries: { models: [secret] }
    chatters: { models: ["*"], routes: [openai_routes] }
    natives: { models: [nova], routes: ["/inference-profiles", "/inference-profiles/*", "/model/{id}/invoke"] }
`;
/** What a user may call, in the order of the list. */
const names = ["bedrock/claude_eu:1", "claude-sonnet-4.5", "gpt", "nova"];

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway({ yaml });
});
afterAll(() => gateway.close());

/** As a user has it: the token in AWS_BEARER_TOKEN_BEDROCK, the gateway as the endpoint. */
const connection = async (groups: readonly string[]) => ({
  region: "us-east-1",
  endpoint: gateway.url,
  token: { token: await gateway.token({ sub: groups.join(" and "), groups }) },
  authSchemePreference: ["httpBearerAuth"],
  requestHandler: new NodeHttpHandler(),
  maxAttempts: 1,
});
const clientOf = async (...groups: string[]) => new BedrockClient(await connection(groups));
const list = async (input: ListInferenceProfilesCommandInput, group = "users") =>
  (await clientOf(group)).send(new ListInferenceProfilesCommand(input));
const get = async (inferenceProfileIdentifier: string | undefined, group = "users") =>
  (await clientOf(group)).send(new GetInferenceProfileCommand({ inferenceProfileIdentifier }));
const idsOf = (profiles: readonly InferenceProfileSummary[] | undefined) =>
  profiles?.map(({ inferenceProfileId: id }) => id);

describe("the gateway's names as inference profiles, by the real AWS SDK, unmodified", () => {
  test("have every field AWS requires, in the forms it documents", async () => {
    const { inferenceProfileSummaries: all = [], nextToken } = await list({});
    expect(idsOf(all)).toEqual(names);
    expect(nextToken).toBeUndefined();
    for (const each of all) {
      expect(each.inferenceProfileName).toMatch(/^([0-9a-zA-Z][ _-]?){1,64}$/);
      expect(each.inferenceProfileArn).toBe(`arn:aws:bedrock:::inference-profile/${each.inferenceProfileId}`);
      expect(each.description).toMatch(/^([0-9a-zA-Z:.][ _-]?){1,200}$/);
      expect(each.description).toContain("A name of this gateway.");
      expect([each.status, each.type]).toEqual(["ACTIVE", "SYSTEM_DEFINED"]);
    }
    expect(all.map(({ inferenceProfileName: name }) => name)).toEqual([
      "bedrock-claude_eu-1",
      "claude-sonnet-4-5",
      "gpt",
      "nova",
    ]);
    const arn = (region: string, model: string) => `arn:aws:bedrock:${region}::foundation-model/${model}`;
    expect(all.map(({ models }) => models?.map(({ modelArn }) => modelArn))).toEqual([
      [arn("eu-west-1", sonnet)],
      ["us-east-1", "us-east-2", "us-west-2"].map((region) => arn(region, sonnet)),
      [arn("", "openai.gpt-4-1")],
      // The region of the environment, where nothing else is said.
      [arn("us-east-1", "amazon.nova-lite-v1:0")],
    ]);
  });

  test("are Bedrock's way to a model: their ids are served", async () => {
    const runtime = new BedrockRuntimeClient(await connection(["users"]));
    const messages = [{ role: "user" as const, content: [{ text: "Who is Bob?" }] }];
    for (const modelId of names.filter((name) => name !== "gpt")) {
      const answer = await runtime.send(new ConverseCommand({ modelId, messages }));
      expect(answer.output?.message?.content?.[0]?.text, modelId).toBe("Bob is an engineer.");
      const { json } = await gateway.call("/audit/events?limit=1", { token: await tokenOf("users") });
      expect(json.events[0]).toMatchObject({ model: modelId, route: "POST /model/:id/converse", status: 200 });
    }
  });

  test("are only those the caller may call by a route of Bedrock's", async () => {
    expect(idsOf((await list({}, "secretaries")).inferenceProfileSummaries)).toEqual(["secret"]);
    expect(idsOf((await list({}, "natives")).inferenceProfileSummaries)).toEqual(["nova"]);
    expect(idsOf((await list({}, "chatters")).inferenceProfileSummaries)).toEqual([]);
  });

  test.each([1, 2, 3, 4, 1000])("come page by page of %i, each once", async (pageSize) => {
    const sizes: number[] = [];
    const paged: InferenceProfileSummary[] = [];
    for await (const page of paginateListInferenceProfiles({ client: await clientOf("users"), pageSize }, {})) {
      sizes.push(page.inferenceProfileSummaries?.length ?? 0);
      paged.push(...(page.inferenceProfileSummaries ?? []));
    }
    expect(paged).toEqual((await list({})).inferenceProfileSummaries);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(pageSize);
    expect(sizes).toHaveLength(Math.ceil(names.length / pageSize));
  });

  test("go on at the same place for somebody with other rights, and tell him no more", async () => {
    const { nextToken } = await list({ maxResults: 2 });
    expect(idsOf((await list({ nextToken })).inferenceProfileSummaries)).toEqual(["gpt", "nova"]);
    expect(idsOf((await list({ nextToken }, "secretaries")).inferenceProfileSummaries)).toEqual(["secret"]);
  });

  test("go on at the same place when the file has changed meanwhile", async () => {
    const { nextToken } = await list({ maxResults: 2 });
    const added = `  - { model_name: a-claude, litellm_params: { model: "bedrock/${sonnet}" } }\naccess:`;
    gateway.writeConfig(yaml.replace(/^.*claude-sonnet-4\.5.*\n/m, "").replace("access:", added));
    await gateway.gateway.reload();
    expect(idsOf((await list({ nextToken })).inferenceProfileSummaries)).toEqual(["gpt", "nova"]);
    expect(idsOf((await list({})).inferenceProfileSummaries)).toEqual([
      "a-claude",
      "bedrock/claude_eu:1",
      "gpt",
      "nova",
    ]);
    gateway.writeConfig(yaml);
    await gateway.gateway.reload();
  });

  test("are filtered by type", async () => {
    expect(idsOf((await list({ typeEquals: "SYSTEM_DEFINED" })).inferenceProfileSummaries)).toEqual(names);
    const applications = await list({ typeEquals: "APPLICATION", maxResults: 1 });
    expect(applications.inferenceProfileSummaries).toEqual([]);
    expect(applications.nextToken).toBeUndefined();
  });

  test.each<[string, string, ListInferenceProfilesCommandInput]>([
    ["no result at all", "maxResults", { maxResults: 0 }],
    ["less than none", "maxResults", { maxResults: -1 }],
    ["more than a thousand", "maxResults", { maxResults: 1001 }],
    ["half a result", "maxResults", { maxResults: 1.5 }],
    ["a token of another making", "nextToken", { nextToken: "x" }],
    ["a token that names nothing", "nextToken", { nextToken: Buffer.from("after:").toString("base64url") }],
    ["a token with more behind it", "nextToken", { nextToken: `${Buffer.from("after:gpt").toString("base64url")}==` }],
    ["a token that is too long", "nextToken", { nextToken: Buffer.from(`after:${"x".repeat(2000)}`).toString("hex") }],
    ["an empty token", "nextToken", { nextToken: "" }],
    ["an unknown type", "type", { typeEquals: "OTHER" as "APPLICATION" }],
  ])("refuse %s by the name of the field", async (_, field, input) => {
    await expect(list(input)).rejects.toMatchObject({
      name: "ValidationException",
      message: expect.stringMatching(new RegExp(`^${field}: `)),
      $metadata: { httpStatusCode: 400 },
    });
  });

  test("refuse a number that is none", async () => {
    for (const text of ["", "ten", "0x10", "1e2", "%201", "10000"]) {
      const answer = await gateway.call(`/inference-profiles?maxResults=${text}`, { token: await tokenOf("users") });
      expect([answer.status, answer.json.message], text).toEqual([
        400,
        "maxResults: must be a whole number from 1 to 1000.",
      ]);
    }
  });
});

describe("one inference profile, by the real AWS SDK", () => {
  test("is told by id and by ARN as it is listed", async () => {
    const { inferenceProfileSummaries: all = [] } = await list({});
    for (const each of all) {
      for (const identifier of [each.inferenceProfileId, each.inferenceProfileArn]) {
        const { $metadata, ...one } = await get(identifier);
        expect(one, identifier).toEqual(each);
      }
    }
  });

  test.each(["secret", "nobody", "any-thing", "arn:aws:bedrock:::inference-profile/secret", "arn:aws:bedrock:::nova"])(
    "%s does not exist for one who may not call it",
    async (identifier) => {
      await expect(get(identifier)).rejects.toMatchObject({
        name: "ResourceNotFoundException",
        $metadata: { httpStatusCode: 404 },
      });
    },
  );

  test.each(["any-*", "of two words", "a//b"])("%s is no identifier", async (identifier) => {
    await expect(get(identifier)).rejects.toMatchObject({
      name: "ValidationException",
      $metadata: { httpStatusCode: 400 },
    });
  });

  test("is told alike that a name is not his and that there is none", async () => {
    const told = async (identifier: string) =>
      get(identifier).catch((error: Error) => error.message.replace(identifier, "it"));
    expect(await told("secret")).toBe(await told("nobody"));
    expect((await get("secret", "secretaries")).inferenceProfileId).toBe("secret");
  });

  test("is for those who may list", async () => {
    await expect(get("nova", "nobodies")).rejects.toMatchObject({
      name: "AccessDeniedException",
      $metadata: { httpStatusCode: 403 },
    });
    const stranger = new BedrockClient({ ...(await connection([])), token: { token: "sk-unknown" } });
    const asked = stranger.send(new GetInferenceProfileCommand({ inferenceProfileIdentifier: "nova" }));
    await expect(asked).rejects.toMatchObject({
      name: "UnrecognizedClientException",
      $metadata: { httpStatusCode: 401 },
    });
  });

  test("is recorded by its route", async () => {
    await get("nova", "secretaries").catch(() => {});
    const { json } = await gateway.call("/audit/events?limit=1", { token: await tokenOf("secretaries") });
    expect(json.events[0]).toMatchObject({ route: "GET /inference-profiles/:id", status: 404 });
  });
});

const tokenOf = (group: string) => gateway.token({ sub: group, groups: [group] });
