import { readFileSync } from "node:fs";
import {
  BedrockClient,
  GetInferenceProfileCommand,
  type InferenceProfileSummary,
  ListInferenceProfilesCommand,
  type ListInferenceProfilesCommandInput,
  paginateListInferenceProfiles,
} from "@aws-sdk/client-bedrock";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBedrock } from "./server.ts";

const credentials = { accessKeyId: "AKIDSANDBOX", secretAccessKey: "sandbox-secret" };
let service: Awaited<ReturnType<typeof startBedrock>>;
const clientWith = (options: Partial<ConstructorParameters<typeof BedrockClient>[0]> = {}) =>
  new BedrockClient({ region: "us-east-1", endpoint: service.url, credentials, maxAttempts: 1, ...options });
const list = (input: ListInferenceProfilesCommandInput) => clientWith().send(new ListInferenceProfilesCommand(input));
const invalid = { name: "ValidationException", $metadata: { httpStatusCode: 400 } };

beforeAll(async () => {
  service = await startBedrock({ port: 0, region: "us-east-1", bearerKey: "bedrock-key", rules: [], ...credentials });
});
afterAll(() => service.close());

describe("the inference profiles, by the real AWS SDK, unmodified", () => {
  it("have every field AWS requires, in the forms it documents", async () => {
    const { inferenceProfileSummaries: all = [], nextToken } = await list({});
    expect(nextToken).toBeUndefined();
    expect(all.length).toBeGreaterThan(3);
    for (const each of all) {
      expect(each.inferenceProfileId).toMatch(/^us\.[a-zA-Z0-9-:.]{1,61}$/);
      expect(each.inferenceProfileName).toMatch(/^([0-9a-zA-Z][ _-]?)+$/);
      expect(each.inferenceProfileArn).toBe(
        `arn:aws:bedrock:us-east-1:000000000000:inference-profile/${each.inferenceProfileId}`,
      );
      expect(each.description).toMatch(/^([0-9a-zA-Z:.][ _-]?){1,200}$/);
      expect(each.models?.length).toBe(3);
      for (const { modelArn } of each.models ?? [])
        expect(modelArn).toMatch(/^arn:aws:bedrock:us-\w+-\d::foundation-model\/[a-z0-9-]+\.[a-z0-9:.-]+$/);
      expect([each.status, each.type]).toEqual(["ACTIVE", "SYSTEM_DEFINED"]);
      expect(each.createdAt?.getTime()).toBeGreaterThan(Date.UTC(2024, 0));
    }
  });

  it("are those of the region that the caller signs for", async () => {
    const { inferenceProfileSummaries: all = [] } = await clientWith({ region: "eu-west-1" }).send(
      new ListInferenceProfilesCommand({}),
    );
    expect(all.length).toBeGreaterThan(3);
    for (const { inferenceProfileId: id, inferenceProfileArn: arn } of all)
      expect(arn).toBe(`arn:aws:bedrock:eu-west-1:000000000000:inference-profile/${id}`);
  });

  it("name everything that the demo's gateway routes to by profile", async () => {
    const config = readFileSync(new URL("../data/gateway.yaml", import.meta.url), "utf8");
    const routed = [...config.matchAll(/"bedrock\/(us\.[^"]+)"/g)].map(([, id]) => id);
    const { inferenceProfileSummaries: all = [] } = await list({});
    expect(routed.length).toBeGreaterThan(0);
    expect(all.map((each) => each.inferenceProfileId)).toEqual(expect.arrayContaining(routed));
  });

  it("come page by page, each once", async () => {
    const whole = (await list({})).inferenceProfileSummaries ?? [];
    const sizes: number[] = [];
    const paged: InferenceProfileSummary[] = [];
    for await (const page of paginateListInferenceProfiles({ client: clientWith(), pageSize: 4 }, {})) {
      sizes.push(page.inferenceProfileSummaries?.length ?? 0);
      paged.push(...(page.inferenceProfileSummaries ?? []));
    }
    expect(sizes).toEqual([4, 4, whole.length - 8]);
    expect(whole.length).toBeGreaterThan(8);
    expect(paged).toEqual(whole);
  });

  it("are filtered by type", async () => {
    const ofAmazon = await list({ typeEquals: "SYSTEM_DEFINED" });
    expect(ofAmazon.inferenceProfileSummaries?.length).toBeGreaterThan(3);
    expect((await list({ typeEquals: "APPLICATION" })).inferenceProfileSummaries).toEqual([]);
  });

  it.each<[string, ListInferenceProfilesCommandInput]>([
    ["no result at all", { maxResults: 0 }],
    ["more than a thousand", { maxResults: 1001 }],
    ["half a result", { maxResults: 1.5 }],
    ["a token never given", { nextToken: "YWZ0ZXI6OTk5" }],
    ["a token of another making", { nextToken: "x" }],
    ["a token that is too long", { nextToken: "x".repeat(2049) }],
    ["an unknown type", { typeEquals: "OTHER" as "APPLICATION" }],
  ])("refuse %s", async (_, input) => {
    await expect(list(input)).rejects.toMatchObject(invalid);
  });

  it("are told one by one, by id and by ARN", async () => {
    const [first] = (await list({ maxResults: 1 })).inferenceProfileSummaries ?? [];
    for (const inferenceProfileIdentifier of [first?.inferenceProfileId, first?.inferenceProfileArn]) {
      const { $metadata, ...one } = await clientWith().send(
        new GetInferenceProfileCommand({ inferenceProfileIdentifier }),
      );
      expect(one).toEqual(first);
    }
    const missing = clientWith().send(new GetInferenceProfileCommand({ inferenceProfileIdentifier: "us.nobody" }));
    await expect(missing).rejects.toMatchObject({
      name: "ResourceNotFoundException",
      $metadata: { httpStatusCode: 404 },
    });
  });

  it("are signed like everything else", async () => {
    const wrong = clientWith({ credentials: { ...credentials, secretAccessKey: "another" } });
    const refused = { name: "InvalidSignatureException", $metadata: { httpStatusCode: 403 } };
    await expect(wrong.send(new ListInferenceProfilesCommand({ maxResults: 2 }))).rejects.toMatchObject(refused);
    expect((await fetch(`${service.url}/inference-profiles`)).status).toBe(403);
    const authorization = "Bearer bedrock-key";
    expect((await fetch(`${service.url}/inference-profiles`, { headers: { authorization } })).status).toBe(200);
    expect((await fetch(`${service.url}/inference-profiles/%ff`, { headers: { authorization } })).status).toBe(400);
  });

  it("fail when told to, and stand among the calls", async () => {
    const body = JSON.stringify({ fault: "throttle", operation: "list-inference-profiles" });
    await fetch(`${service.url}/sandbox/faults`, { method: "POST", body });
    await expect(list({})).rejects.toMatchObject({ name: "ThrottlingException" });
    await list({});
    const { calls } = (await (await fetch(`${service.url}/sandbox/calls`)).json()) as {
      calls: { operation: string }[];
    };
    expect(calls.at(-1)).toMatchObject({ operation: "list-inference-profiles", model: "" });
  });
});
