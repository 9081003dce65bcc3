import { issuer, privateKeyFile, url } from "@onbehalf/service-kit";
import { z } from "zod";
import { unresolved } from "./config/references.ts";

/** Values from YAML or from the environment, where everything is text. */
const number = z.coerce.number();
const positive = number.positive();
const flag = z.union([
  z.boolean(),
  z.enum(["true", "false", "True", "False"]).transform((text) => text.toLowerCase() === "true"),
]);

/** A value whose variable is not set is no fault of the file: the model cannot be used then. */
function unlessUnset(form: z.ZodType) {
  return z.string().superRefine((value, context) => {
    if (unresolved(value) !== undefined) return;
    for (const { message } of form.safeParse(value).error?.issues ?? []) context.addIssue({ code: "custom", message });
  });
}

/** AWS's name for where its services are: a part of their addresses. */
export const awsRegion = z.string().regex(/^[a-z0-9-]{1,64}$/, "must be a region's name, for example us-east-1");

/** A further token exchange: the upstream is called with a token for it, in the caller's name. */
const tokenExchange = z
  .strictObject({
    profile: z.enum(["okta", "keycloak", "entra", "auth0", "zitadel", "rfc8693"]),
    issuer: issuer({ httpOnLoopbackOnly: true }),
    /** Else from the issuer's discovery document. */
    token_endpoint: z.url().optional(),
    client_id: z.string().min(1),
    client_secret: z.string().min(1).optional(),
    private_key_file: unlessUnset(privateKeyFile()).optional(),
    audience: z.string().optional(),
    scopes: z.array(z.string()).optional(),
  })
  .refine(({ client_secret, private_key_file }) => (client_secret === undefined) !== (private_key_file === undefined), {
    error: "needs either client_secret or private_key_file",
  });
/** A further exchange (RFC 8693), for providers that take tokens of their own only. */
export type TokenExchangeSettings = z.output<typeof tokenExchange>;

/** One `model_list` entry as LiteLLM writes it. What only LiteLLM's other providers use is let through and not used. */
export const modelEntry = z.strictObject({
  /** What clients ask for. `*` at the end stands for anything: `bedrock/*`. */
  model_name: z.string().min(1),
  litellm_params: z.looseObject({
    /** `bedrock/<id>`, `bedrock/converse/<id>`, `openai/<id>`, `azure/<deployment>`, `anthropic/<id>`. */
    model: z.string().min(1),
    api_base: unlessUnset(url()).optional(),
    api_key: z.string().optional(),
    api_version: z.string().optional(),
    aws_region_name: awsRegion.optional(),
    aws_access_key_id: z.string().optional(),
    aws_secret_access_key: z.string().optional(),
    aws_session_token: z.string().optional(),
    aws_bedrock_runtime_endpoint: url().optional(),
    /** Share among deployments of the same name and order. */
    weight: positive.optional(),
    /** Lower is tried first; the next is used when all before it fail. */
    order: number.optional(),
    /** Seconds for the whole call, and until the first byte of a stream. */
    timeout: positive.optional(),
    stream_timeout: positive.optional(),
    /** What a model has no words for is left out of its requests instead of refused by name. */
    drop_params: flag.optional(),
    /** Instead of `api_key`, for OpenAI- and Anthropic-compatible upstreams that know the same users. */
    token_exchange: tokenExchange.optional(),
    guardrailConfig: z
      .looseObject({ guardrailIdentifier: z.string(), guardrailVersion: z.string(), trace: z.string().optional() })
      .optional(),
  }),
  model_info: z.looseObject({}).optional(),
});
/** One entry of `model_list`: a name for clients, and where its calls go. */
export type ModelEntry = z.output<typeof modelEntry>;

/** Top-level `bedrock`: how the gateway is known to AWS, and what it tells AWS about the user. */
export const bedrockSettings = z.strictObject({
  region: awsRegion.optional(),
  /** Base URL instead of AWS's own for the region. */
  endpoint: url().optional(),
  /** A Bedrock API key instead of signatures. */
  bearer_key: z.string().optional(),
  /** Send user, team and trace id as Converse `requestMetadata`. */
  request_metadata: flag.default(true),
  /** With it every call is made under a session of this role that is named and tagged after the user. */
  assume_role_arn: z.string().startsWith("arn:").optional(),
  sts_endpoint: url().optional(),
  /** Buckets and folders that requests to Bedrock's own routes may name, as `s3://bucket/folder/`; none when empty. */
  s3_prefixes: z.array(z.string().regex(/^s3:\/\/[^/]+\//, "must be s3://bucket/ or s3://bucket/folder/")).default([]),
  /** Of Anthropic's betas further ones that Claude takes on Bedrock by now; names it does not know fail whole requests. */
  anthropic_betas: z
    .array(z.string().regex(/^[a-z0-9-]{1,100}$/, "must be a beta's name"))
    .max(100)
    .default([]),
  session_duration_seconds: number.int().min(900).max(43_200).default(3600),
});
/** How Bedrock is reached, for all deployments there. */
export type BedrockSettings = z.output<typeof bedrockSettings>;

/** Top-level `billing`. */
export const billingSettings = z.strictObject({
  /** Read an abandoned answer to its end, so that its real usage is known; else the upstream call is ended at once. */
  drain_on_abort: flag.default(false),
  drain_seconds: positive.max(600).default(30),
});
/** Top-level `billing`: what is read of answers that nobody waits for any more, since they are paid for. */
export type BillingSettings = z.output<typeof billingSettings>;

const fallback = z.record(z.string(), z.array(z.string()));

/** Top-level `router_settings`, LiteLLM's names; its routing strategies are accepted and weights are used. */
export const routerSettings = z.looseObject({
  /** Further names, each for one that `model_list` has; a hidden one is taken and not listed. */
  model_group_alias: z
    .record(
      z.string().min(1),
      z.union([
        z
          .string()
          .min(1)
          .transform((model) => ({ model, hidden: false })),
        z.strictObject({ model: z.string().min(1), hidden: flag.default(false) }),
      ]),
    )
    .default({}),
  /** `[{"a": ["b", "c"]}]`: b, then c, when every deployment of a has failed. */
  fallbacks: z.array(fallback).default([]),
  /** Further attempts after the first, over all deployments. */
  num_retries: number.int().min(0).max(10).default(2),
  /** Consecutive failures after which a deployment rests. */
  allowed_fails: number.int().min(1).default(3),
  cooldown_time: positive.default(10),
  connect_timeout: positive.default(5),
  /** Seconds until the first byte of a stream. */
  stream_timeout: positive.default(60),
  /** Seconds between two bytes of a stream. */
  idle_timeout: positive.default(60),
  /** Seconds for the whole call. */
  timeout: positive.default(600),
  /** Seconds of silence after which a stream gets a keep-alive. */
  keep_alive: positive.default(15),
});
/** `router_settings`, with its defaults; times in seconds. */
export type RouterSettings = z.output<typeof routerSettings>;

/** Whose protocol a deployment speaks. */
export type Provider = "bedrock" | "openai" | "azure" | "anthropic";

/** One place a model can be had from. */
export interface Deployment {
  /** Tells deployments apart, several of one name and model too. */
  readonly key: string;
  /** The name clients use; of a wildcard entry, the pattern. */
  readonly name: string;
  readonly provider: Provider;
  readonly modelId: string;
  /** Provider and id, as prices and records name it. */
  readonly providerModel: string;
  readonly weight: number;
  readonly order: number;
  readonly params: ModelEntry["litellm_params"];
  /** What the model has no words for is left out instead of refused. */
  readonly drops: boolean;
  /** Why it cannot be used, in words for the operator. */
  readonly problem: string | undefined;
}

/**
 * Entries as deployments, in the file's order. An entry that cannot work is kept, with the reason.
 * @param drops `drop_params` of entries that do not say
 */
export function deploymentsOf(entries: readonly ModelEntry[], drops = false): Deployment[] {
  return entries.map((entry, index) => {
    const params = entry.litellm_params;
    const { provider, modelId } = splitModel(params.model);
    return {
      key: `${index}`,
      name: entry.model_name,
      provider: provider ?? "openai",
      modelId,
      providerModel: `${provider ?? "unknown"}/${modelId}`,
      weight: params.weight ?? 1,
      order: params.order ?? 0,
      params,
      drops: params.drop_params ?? drops,
      problem: problemOf(provider, params),
    };
  });
}

/** What entries say and nobody here reads, in words for the operator. */
export function unreadParams(entries: readonly ModelEntry[]): readonly string[] {
  const read = new Set(Object.keys(modelEntry.shape.litellm_params.shape));
  return entries.flatMap(({ model_name: name, litellm_params: params }, index) =>
    Object.keys(params)
      .filter((key) => !read.has(key))
      .map((key) => `model_list[${index}].litellm_params.${key} is ignored: ${name} is used without it`),
  );
}

/** LiteLLM's names for servers that speak OpenAI's chat completions. */
const openaiCompatible: ReadonlySet<string> = new Set(["hosted_vllm", "openai_like", "ollama", "ollama_chat"]);

function splitModel(model: string): { provider: Provider | undefined; modelId: string } {
  const slash = model.indexOf("/");
  const prefix = slash < 0 ? "" : model.slice(0, slash);
  const rest = model.slice(slash + 1);
  if (prefix === "bedrock")
    return { provider: "bedrock", modelId: rest.replace(/^(converse|invoke|converse_like)\//, "") };
  if (prefix === "openai" || prefix === "azure" || prefix === "anthropic") return { provider: prefix, modelId: rest };
  if (openaiCompatible.has(prefix)) return { provider: "openai", modelId: rest };
  return { provider: undefined, modelId: model };
}

function problemOf(provider: Provider | undefined, params: ModelEntry["litellm_params"]): string | undefined {
  const unset = unresolved(params);
  if (unset !== undefined) return `'${params.model}' refers to the environment variable ${unset}, which is not set`;
  if (provider === undefined)
    return `'${params.model}' names no provider this gateway has: use bedrock/, openai/, azure/ or anthropic/`;
  if (/^(?:azure|hosted_vllm|openai_like)\//.test(params.model) && params.api_base === undefined)
    return `'${params.model}' has no api_base`;
  return undefined;
}
