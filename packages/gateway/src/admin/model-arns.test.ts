import { describe, expect, test } from "vitest";
import { deploymentsOf } from "../deployments.ts";
import { modelArns } from "./model-arns.ts";

const sonnet = "anthropic.claude-sonnet-4-5-20250929-v1:0";
const arnsOf = (models: readonly (string | { model: string; order?: number })[], region?: string) =>
  modelArns(
    deploymentsOf(
      models.map((one) => ({
        model_name: "any",
        litellm_params: typeof one === "string" ? { model: one } : one,
      })),
    ),
    () => region,
  );
const arn = (region: string, model: string) => `arn:aws:bedrock:${region}::foundation-model/${model}`;

describe("the models behind a name", () => {
  test.each<[string, string, string | undefined, readonly string[]]>([
    ["a profile of a geography", `bedrock/us.${sonnet}`, "us-west-1", ["us-east-1", "us-east-2", "us-west-2"]],
    [
      "the same by another API",
      `bedrock/converse/eu.${sonnet}`,
      undefined,
      ["eu-central-1", "eu-north-1", "eu-west-1"],
    ],
    [
      "a profile's ARN",
      `bedrock/arn:aws:bedrock:ap-northeast-1:123456789012:inference-profile/jp.${sonnet}`,
      "ap-northeast-1",
      ["ap-northeast-1", "ap-northeast-3"],
    ],
    ["a model of one region", `bedrock/${sonnet}`, "eu-west-3", ["eu-west-3"]],
    ["a model of no known region", `bedrock/${sonnet}`, undefined, [""]],
    [
      "a global profile: the region it is asked in, and none",
      `bedrock/global.${sonnet}`,
      "us-east-1",
      ["us-east-1", ""],
    ],
    ["a global profile of no known region", `bedrock/global.${sonnet}`, undefined, [""]],
  ])("%s", (_, model, region, regions) => {
    expect(arnsOf([model], region)).toEqual(regions.map((each) => arn(each, sonnet)));
  });

  test.each([
    ["openai/gpt-4.1", "", "openai.gpt-4-1"],
    ["azure/Prod_GPT", "", "azure.prod-gpt"],
    ["anthropic/claude-opus-4-6", "", "anthropic.claude-opus-4-6"],
    ["hosted_vllm/meta-llama/Llama-3.1-8B", "", "openai.llama-3-1-8b"],
    ["vertex_ai/gemini", "", "unknown.gemini"],
    ["bedrock/arn:aws:bedrock:us-east-1:1:application-inference-profile/a1b2", "us-east-1", "bedrock.a1b2"],
    ["bedrock/constructor.x", "us-east-1", "constructor.x"],
  ])("%s, in the form of Bedrock's ids", (model, region, id) => {
    expect(arnsOf([model], "us-east-1")).toEqual([arn(region, id)]);
  });

  test("have the partition of their region", () => {
    expect(arnsOf([`bedrock/us-gov.${sonnet}`])).toEqual(
      ["us-gov-east-1", "us-gov-west-1"].map(
        (region) => `arn:aws-us-gov:bedrock:${region}::foundation-model/${sonnet}`,
      ),
    );
  });

  test("begin with what is tried first, each once and five at most", () => {
    const arns = arnsOf([
      { model: `bedrock/eu.${sonnet}`, order: 2 },
      { model: "openai/gpt-5", order: 1 },
      { model: "openai/gpt-5", order: 1 },
      { model: `bedrock/us.${sonnet}`, order: 3 },
    ]);
    expect(arns).toEqual([
      arn("", "openai.gpt-5"),
      ...["eu-central-1", "eu-north-1", "eu-west-1", "us-east-1"].map((region) => arn(region, sonnet)),
    ]);
  });
});
