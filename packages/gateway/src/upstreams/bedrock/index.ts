import type { Env } from "@onbehalf/service-kit";
import type { CallerTag } from "../../call.ts";
import type { BedrockSettings, Deployment } from "../../deployments.ts";
import { unsupported } from "../../dialects/body.ts";
import { GatewayError } from "../../errors.ts";
import { type Base, createBases } from "../base.ts";
import type { Exchange } from "../exchange.ts";
import { createExtraHeaders } from "../extra-headers.ts";
import type { Addressed, Outgoing, Upstream } from "../upstream.ts";
import { claudeCount, claudeExchange } from "./claude.ts";
import { converseExchange } from "./converse.ts";
import { converseCount } from "./count.ts";
import { type BedrockCredentials, createCredentials } from "./credentials.ts";
import { embeddingsExchange } from "./embeddings.ts";
import { bedrockError, isSpent, spent } from "./error.ts";
import { familyOf } from "./family.ts";
import { nativeExchange } from "./native.ts";
import { refuseReach } from "./reach.ts";
import { createSessions } from "./sessions.ts";
import { createSigner } from "./signer.ts";

const forgetEveryMs = 30_000;

export interface BedrockUpstreamOptions {
  readonly settings: BedrockSettings;
  readonly env: Env;
}

/** Amazon Bedrock's runtime, signed for by the gateway. */
export function createBedrockUpstream({ settings, env }: BedrockUpstreamOptions): Upstream {
  const sign = createSigner("bedrock");
  const own = createCredentials(env, settings.bearer_key);
  // Read once: each look into the process's environment is a call to the system.
  const usualRegion = settings.region ?? env.AWS_REGION ?? env.AWS_DEFAULT_REGION;
  const region = ({ params }: Deployment): string | undefined => params.aws_region_name ?? usualRegion;
  const sessions =
    settings.assume_role_arn === undefined ? undefined : createSessions(settings, settings.assume_role_arn);
  const usualUrl = settings.endpoint ?? env.AWS_ENDPOINT_URL_BEDROCK_RUNTIME ?? env.AWS_ENDPOINT_URL;
  const baseOf = createBases((deployment) => {
    const own = deployment.params.aws_bedrock_runtime_endpoint ?? deployment.params.api_base;
    return own ?? usualUrl ?? `https://bedrock-runtime.${region(deployment)}.amazonaws.com`;
  });

  const credentialsOf = async (
    found: BedrockCredentials | Promise<BedrockCredentials>,
    caller: CallerTag,
    signedRegion: string,
  ): Promise<BedrockCredentials> => (sessions === undefined ? found : sessions.of(caller, await found, signedRegion));
  const extraHeaders = createExtraHeaders();
  const forget = seldom(() => {
    own.forget();
    sessions?.forget();
  });
  const addressed = (
    { method, path: operation, headers: said, body }: Exchange,
    extra: Readonly<Record<string, string>>,
    { origin, path: prefix, host }: Base,
    credentials: BedrockCredentials,
    signedRegion: string,
  ): Addressed => {
    const path = prefix + operation;
    const headers = { ...said, ...extra, host };
    const proof =
      "bearer" in credentials
        ? { authorization: `Bearer ${credentials.bearer}` }
        : sign({ method, path, headers, body }, credentials, signedRegion, Date.now());
    return { origin, path, headers: { ...headers, ...proof } };
  };

  return {
    exchange: (outgoing) => exchangeOf(outgoing, settings),
    address(exchange: Exchange, { deployment, caller }: Outgoing): Addressed | Promise<Addressed> {
      const signedRegion = region(deployment);
      if (signedRegion === undefined) throw regionless();
      const signed = (credentials: BedrockCredentials): Addressed =>
        addressed(exchange, extraHeaders(deployment), baseOf(deployment), credentials, signedRegion);
      const found = own.of(deployment);
      if (found instanceof Promise || sessions !== undefined)
        return credentialsOf(found, caller, signedRegion).then(signed);
      return signed(found);
    },
    errorOf(status, headers, body) {
      if (!isSpent(headers) || (sessions === undefined && !own.renewable)) return bedrockError(status, headers, body);
      forget();
      return spent(headers);
    },
  };
}

/** The call in the words of the operation of Bedrock's that answers it. */
function exchangeOf(outgoing: Outgoing, settings: BedrockSettings): Exchange {
  const { call, deployment, translator } = outgoing;
  const tellUser = settings.request_metadata;
  const claude = call.dialect === "anthropic" && familyOf(deployment.modelId) === "claude";
  if (call.dialect === "bedrock" || claude) {
    refuseReach(call.body, {
      guarded: deployment.params.guardrailConfig !== undefined,
      s3Prefixes: settings.s3_prefixes,
    });
  }
  if (call.dialect === "bedrock") return nativeExchange(outgoing, tellUser);
  if (call.operation === "embed") return embeddingsExchange(outgoing);
  if (call.operation === "count_tokens")
    return claude ? claudeCount(outgoing, settings.anthropic_betas) : converseCount(outgoing);
  if (claude) return claudeExchange(outgoing, tellUser, settings.anthropic_betas);
  if (translator !== undefined) return converseExchange(outgoing, translator, tellUser);
  throw unsupported("model", "this model cannot be used on this route.");
}

/** Once for all calls that were under way with the same, and seldom where AWS refuses whatever it gave. */
function seldom(work: () => void): () => void {
  let doneAt = Number.NEGATIVE_INFINITY;
  return () => {
    const now = performance.now();
    if (now - doneAt < forgetEveryMs) return;
    doneAt = now;
    work();
  };
}

function regionless(): GatewayError {
  const cause = "set aws_region_name, bedrock.region or AWS_REGION";
  return new GatewayError("upstream_denied", "The gateway knows no AWS region for this model. Tell its operator.", {
    cause,
  });
}
