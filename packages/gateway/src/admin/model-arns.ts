import type { Deployment } from "../deployments.ts";

/** The regions to which AWS routes most models of a geography; which of them one model has, AWS alone knows. */
const geographies: Readonly<Record<string, readonly string[]>> = {
  us: ["us-east-1", "us-east-2", "us-west-2"],
  "us-gov": ["us-gov-east-1", "us-gov-west-1"],
  eu: ["eu-central-1", "eu-north-1", "eu-west-1"],
  apac: ["ap-northeast-1", "ap-southeast-1", "ap-southeast-2"],
  jp: ["ap-northeast-1", "ap-northeast-3"],
  au: ["ap-southeast-2", "ap-southeast-4"],
  ca: ["ca-central-1"],
};
/** As AWS writes the ARN of what is bound to no region, its own global profiles among them. */
const noRegion = "";
/** AWS's own bound on the models of a profile. */
const mostModels = 5;
/** A foundation model's id, as AWS's pattern of its ARN has it. */
const foundationForm = /^[a-z0-9-]{1,63}\.(?:[a-z0-9-]{1,63}\.){0,2}[a-z0-9-]{1,63}(?::[a-z0-9-]{1,63}){0,2}$/;

/**
 * What stands behind one name, as one to five ARNs of foundation models, the deployments tried first before the others.
 * A model that is not Bedrock's is named after its provider, in no region.
 * @param regionOf the region in which a deployment is called; undefined where nobody has said
 */
export function modelArns(
  deployments: readonly Deployment[],
  regionOf: (deployment: Deployment) => string | undefined,
): readonly string[] {
  const tried = [...deployments].sort((left, right) => left.order - right.order);
  return [...new Set(tried.flatMap((deployment) => arnsOf(deployment, regionOf(deployment))))].slice(0, mostModels);
}

function arnsOf({ provider, providerModel, modelId }: Deployment, region = noRegion): readonly string[] {
  if (provider !== "bedrock") return [arnOf(noRegion, invented(providerModel))];
  const id = modelId.slice(modelId.lastIndexOf("/") + 1);
  const { model, regions } = routeOf(id, region);
  // An application's profile, a provisioned or an imported model: its id does not tell whose model it is.
  if (!foundationForm.test(model)) return [arnOf(region, invented(providerModel))];
  return regions.map((each) => arnOf(each, model));
}

/** `us.anthropic.claude…` is `anthropic.claude…` in every region of that geography. */
function routeOf(id: string, region: string): { model: string; regions: readonly string[] } {
  const dot = id.indexOf(".");
  const geography = id.slice(0, dot);
  const model = id.slice(dot + 1);
  if (geography === "global") return { model, regions: [region, noRegion] };
  const regions = Object.hasOwn(geographies, geography) ? geographies[geography] : undefined;
  return regions === undefined ? { model: id, regions: [region] } : { model, regions };
}

function arnOf(region: string, model: string): string {
  return `arn:${partitionOf(region)}:bedrock:${region}::foundation-model/${model}`;
}

function partitionOf(region: string): string {
  if (region.startsWith("us-gov-")) return "aws-us-gov";
  return region.startsWith("cn-") ? "aws-cn" : "aws";
}

/** `openai/gpt-4.1` → `openai.gpt-4-1`: in the form of an id of Bedrock's, for what has none. */
function invented(providerModel: string): string {
  const slash = providerModel.indexOf("/");
  const model = providerModel.slice(providerModel.lastIndexOf("/") + 1);
  const plain = model.toLowerCase().replace(/[^a-z0-9]+/g, "-");
  return `${providerModel.slice(0, slash)}.${plain.slice(0, 63)}`;
}
