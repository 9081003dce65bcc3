import { z } from "zod";
import { Refusal } from "./refusal.ts";

/** As AWS's control plane describes one, in a list and alone. */
export interface InferenceProfile {
  readonly inferenceProfileId: string;
  readonly inferenceProfileName: string;
  readonly inferenceProfileArn: string;
  readonly description: string;
  readonly models: readonly { readonly modelArn: string }[];
  readonly status: "ACTIVE";
  readonly type: "SYSTEM_DEFINED";
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** By name as AWS's pattern allows it, which has no dots. */
const foundationModels: readonly (readonly [id: string, name: string])[] = [
  ["anthropic.claude-opus-5-5", "Anthropic Claude Opus 5-5"],
  ["anthropic.claude-sonnet-5-5", "Anthropic Claude Sonnet 5-5"],
  ["anthropic.claude-haiku-5-5", "Anthropic Claude Haiku 5-5"],
  ["anthropic.claude-sonnet-5", "Anthropic Claude Sonnet 5"],
  ["anthropic.claude-opus-4-8", "Anthropic Claude Opus 4-8"],
  ["anthropic.claude-opus-4-7", "Anthropic Claude Opus 4-7"],
  ["anthropic.claude-sonnet-4-6", "Anthropic Claude Sonnet 4-6"],
  ["anthropic.claude-sonnet-4-5-20250929-v1:0", "Anthropic Claude Sonnet 4-5"],
  ["anthropic.claude-haiku-4-5-20251001-v1:0", "Anthropic Claude Haiku 4-5"],
  ["amazon.nova-lite-v1:0", "Nova Lite"],
  ["meta.llama3-3-70b-instruct-v1:0", "Meta Llama 3-3 70B Instruct"],
];
/** Where the profiles of a geography route to. */
const geographies: Readonly<Record<string, readonly string[]>> = {
  us: ["us-east-1", "us-east-2", "us-west-2"],
  eu: ["eu-central-1", "eu-north-1", "eu-west-1"],
  apac: ["ap-northeast-1", "ap-southeast-1", "ap-southeast-2"],
};
/** The account in whose name the stand-in speaks. */
const account = "000000000000";
const createdAt = "2025-10-01T00:00:00Z";
/** AWS's own bound, and what it takes when nothing is said. */
const mostResults = 1000;

const querySchema = z.object({
  maxResults: z.coerce.number().int().min(1).max(mostResults).default(mostResults),
  nextToken: z
    .string()
    .regex(/^\S{1,2048}$/)
    .optional(),
  // What the API calls typeEquals travels as `type`.
  type: z.enum(["SYSTEM_DEFINED", "APPLICATION"]).optional(),
});

/** What Amazon has defined for the geography of a region. */
function systemProfiles(region: string): readonly InferenceProfile[] {
  const geography = region.startsWith("ap-") ? "apac" : region.slice(0, 2);
  const regions = geographies[geography] ?? [];
  return regions.length === 0 ? [] : foundationModels.map((model) => profileOf(region, geography, regions, model));
}

/**
 * `GET /inference-profiles`, a page at a time. Nobody has made application profiles here, so that filter finds none.
 * @throws ZodError or TypeError for what AWS would call a ValidationException
 */
export function listInferenceProfiles(query: Readonly<Record<string, string>>, region: string) {
  const { maxResults, nextToken, type } = querySchema.parse(query);
  const fitting = systemProfiles(region).filter((profile) => type === undefined || profile.type === type);
  const start = nextToken === undefined ? 0 : offsetIn(nextToken, fitting.length);
  const end = start + maxResults;
  return {
    inferenceProfileSummaries: fitting.slice(start, end),
    ...(end < fitting.length ? { nextToken: tokenFor(end) } : {}),
  };
}

/**
 * `GET /inference-profiles/{id or ARN}`.
 * @throws Refusal 404 for one that is not there
 */
export function getInferenceProfile(identifier: string, region: string): InferenceProfile {
  const found = systemProfiles(region).find(
    ({ inferenceProfileId: id, inferenceProfileArn: arn }) => identifier === id || identifier === arn,
  );
  if (found === undefined)
    throw new Refusal(404, "ResourceNotFoundException", "The specified inference profile could not be found.");
  return found;
}

function profileOf(
  region: string,
  geography: string,
  regions: readonly string[],
  [model, name]: readonly [string, string],
): InferenceProfile {
  const id = `${geography}.${model}`;
  return {
    inferenceProfileId: id,
    inferenceProfileName: `${geography.toUpperCase()} ${name}`,
    inferenceProfileArn: `arn:aws:bedrock:${region}:${account}:inference-profile/${id}`,
    description: `Stand-in: routes requests to ${name} in ${regions.join(" ")}.`,
    models: regions.map((each) => ({ modelArn: `arn:aws:bedrock:${each}::foundation-model/${model}` })),
    status: "ACTIVE",
    type: "SYSTEM_DEFINED",
    createdAt,
    updatedAt: createdAt,
  };
}

function tokenFor(offset: number): string {
  return Buffer.from(`after:${offset}`).toString("base64url");
}

function offsetIn(token: string, length: number): number {
  const offset = Number(/^after:(\d{1,6})$/.exec(Buffer.from(token, "base64url").toString("latin1"))?.[1]);
  if (!(offset < length) || token !== tokenFor(offset)) throw new TypeError("The provided nextToken is not valid.");
  return offset;
}
