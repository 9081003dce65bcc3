import { z } from "zod";
import { type Deployment, deploymentsOf } from "../deployments.ts";
import { nameInProfileArn, profileArn } from "../dialects/bedrock/profile-arn.ts";
import { GatewayError } from "../errors.ts";
import { isModelId } from "../http/canonical-path.ts";
import { routes } from "../routes.ts";
import type { StageContext } from "../stages.ts";
import { modelArns } from "./model-arns.ts";
import { permittedModels } from "./models.ts";

/** What the profiles' ARNs are made with. */
export interface ProfileOptions {
  /** Where deployments without a region of their own are called, when the file names none either. */
  readonly awsRegion: string | undefined;
}

/** As AWS's control plane describes one, in a list and alone. */
interface InferenceProfile {
  readonly inferenceProfileId: string;
  readonly inferenceProfileName: string;
  readonly inferenceProfileArn: string;
  readonly description: string;
  readonly models: readonly { readonly modelArn: string }[];
  readonly status: "ACTIVE";
  readonly type: "SYSTEM_DEFINED";
}

type Handler = (c: StageContext) => Response;

const modelRoutes = routes.filter(({ dialect }) => dialect === "bedrock");

/** AWS's own bounds, and what it takes when nothing is said. What its API calls typeEquals travels as `type`. */
const mostResults = 1000;
const querySchema = z.object({
  maxResults: z
    .string()
    .regex(/^(?:[1-9]\d{0,2}|1000)$/, `must be a whole number from 1 to ${mostResults}`)
    .transform(Number)
    .default(mostResults),
  nextToken: z
    .string()
    .refine((token) => nameIn(token) !== undefined, "is not one that this gateway gave; leave it out to begin again")
    .optional(),
  type: z.enum(["SYSTEM_DEFINED", "APPLICATION"], "(typeEquals) must be SYSTEM_DEFINED or APPLICATION").optional(),
});
type ListQuery = z.output<typeof querySchema>;

/** The names of this gateway as Bedrock's control plane tells inference profiles; each caller sees what he may call. */
export function inferenceProfileRoutes({ awsRegion }: ProfileOptions): Readonly<Record<string, Handler>> {
  return {
    "GET /inference-profiles": (c) => {
      const asked = readQuery(c.req.query());
      // Nobody can make a profile here.
      const { names, nextToken } = pageOf(asked.type === "APPLICATION" ? [] : namesOf(c), asked);
      const inferenceProfileSummaries = names.map(describeFor(c, awsRegion));
      return c.json({ inferenceProfileSummaries, ...(nextToken === undefined ? {} : { nextToken }) });
    },
    "GET /inference-profiles/:id": (c) => {
      const asked = c.req.param("id") ?? "";
      const said = nameInProfileArn(asked);
      const permitted = namesOf(c);
      const name = permitted.includes(said) ? said : c.env.rules.forwarding.nameOf(said);
      if (!permitted.includes(name)) {
        const message = `There is no inference profile ${asked} for you here; GET /inference-profiles lists those there are.`;
        throw new GatewayError("model_not_found", message, { param: "inferenceProfileIdentifier" });
      }
      return c.json(describeFor(c, awsRegion)(name));
    },
  };
}

/** By name, so that a page begins at the same place whatever a reload has added or taken away meanwhile. */
function namesOf(c: StageContext): readonly string[] {
  // What a path of Bedrock's cannot name, nobody could ask for by these ids.
  return permittedModels(c, modelRoutes).filter(isModelId).sort();
}

/** @throws GatewayError `invalid_request` naming the field */
function readQuery(query: Readonly<Record<string, string>>): ListQuery {
  const read = querySchema.safeParse(query);
  if (read.success) return read.data;
  const problems = read.error.issues.map(({ path, message }) => ({ param: path.join("."), message }));
  const [{ param } = { param: "maxResults" }] = problems;
  throw new GatewayError("invalid_request", problems.map((one) => `${one.param}: ${one.message}.`).join(" "), {
    param,
  });
}

function pageOf(names: readonly string[], { maxResults, nextToken }: ListQuery) {
  const after = nextToken === undefined ? undefined : nameIn(nextToken);
  const rest = after === undefined ? names : names.filter((name) => name > after);
  const page = rest.slice(0, maxResults);
  const last = page.at(-1);
  return { names: page, nextToken: last !== undefined && rest.length > page.length ? tokenAfter(last) : undefined };
}

function tokenAfter(name: string): string {
  return Buffer.from(`after:${name}`).toString("base64url");
}

/** The name after which a page begins; undefined for a token of another making. */
function nameIn(token: string): string | undefined {
  const [, name] = /^after:(.+)$/.exec(Buffer.from(token, "base64url").toString("latin1")) ?? [];
  return name !== undefined && isModelId(name) && token === tokenAfter(name) ? name : undefined;
}

function describeFor(c: StageContext, awsRegion: string | undefined): (name: string) => InferenceProfile {
  const { settings, forwarding } = c.env.rules;
  const byName = Map.groupBy(deploymentsOf(settings.models), ({ name }) => name);
  const regionOf = ({ params }: Deployment) => params.aws_region_name ?? settings.file.bedrock?.region ?? awsRegion;
  return (name) => {
    const arns = modelArns(byName.get(forwarding.nameOf(name)) ?? [], regionOf);
    const behind = new Set(arns.map((arn) => arn.slice(arn.lastIndexOf("/") + 1)));
    return {
      inferenceProfileId: name,
      inferenceProfileName: displayName(name),
      inferenceProfileArn: profileArn(name),
      description: `A name of this gateway. It stands for ${[...behind].join(" or ")}.`.slice(0, 200),
      models: arns.map((modelArn) => ({ modelArn })),
      status: "ACTIVE",
      type: "SYSTEM_DEFINED",
    };
  };
}

/** In AWS's pattern: letters and digits, single separators between them, no dots, 64 characters. */
function displayName(name: string): string {
  return name.replace(/[^0-9a-zA-Z]+/g, (run) => (run === "_" ? run : "-")).slice(0, 64);
}
