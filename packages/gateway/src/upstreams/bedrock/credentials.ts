import { fromNodeProviderChain } from "@aws-sdk/credential-providers";
import type { Env } from "@onbehalf/service-kit";
import type { Deployment } from "../../deployments.ts";
import { GatewayError } from "../../errors.ts";
import { createRenewing } from "./renewing.ts";
import type { AwsCredentials } from "./signer.ts";
import { isPassing } from "./source-error.ts";

/** A key for `Authorization: Bearer`, or credentials to sign with. */
export type BedrockCredentials = { readonly bearer: string } | AwsCredentials;

/**
 * Whose credentials a deployment's calls carry: its own, the environment's, else what AWS's credential chain finds
 * (profile, web identity, container, instance). The chain is asked once until its answer ages, or AWS takes it no more.
 */
export function createCredentials(env: Env, bearerKey: string | undefined) {
  const fromEnvironment = staticCredentials(env.AWS_ACCESS_KEY_ID, env.AWS_SECRET_ACCESS_KEY, env.AWS_SESSION_TOKEN);
  const bearer = bearerKey ?? env.AWS_BEARER_TOKEN_BEDROCK;
  const chain = createChain();
  const shared = bearer === undefined ? (fromEnvironment ?? "chain") : { bearer };
  // The same object for each call: what is derived from credentials is kept with them.
  const ofDeployments = new WeakMap<Deployment["params"], BedrockCredentials | "chain">();
  return {
    of(deployment: Deployment): BedrockCredentials | Promise<BedrockCredentials> {
      let own = ofDeployments.get(deployment.params);
      if (own === undefined) {
        own = credentialsIn(deployment.params) ?? shared;
        ofDeployments.set(deployment.params, own);
      }
      return own === "chain" ? chain.get() : own;
    },
    /** False when all there are were given by hand: no others will be had. */
    renewable: shared === "chain",
    /** AWS refuses those that were found. */
    forget: chain.forget,
  };
}

/** A deployment's own credentials; undefined when it has none. */
function credentialsIn(params: Deployment["params"]): BedrockCredentials | undefined {
  const { aws_access_key_id, aws_secret_access_key, aws_session_token, api_key } = params;
  const own = staticCredentials(aws_access_key_id, aws_secret_access_key, aws_session_token);
  return own ?? (api_key === undefined ? undefined : { bearer: api_key });
}

function staticCredentials(
  accessKeyId?: string,
  secretAccessKey?: string,
  sessionToken?: string,
): AwsCredentials | undefined {
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
}

function createChain() {
  // What is kept is kept here: a profile that another program has written anew is read anew.
  const provider = fromNodeProviderChain({ ignoreCache: true });
  return createRenewing(async () => {
    try {
      const found = await provider({ forceRefresh: true });
      return { credentials: found, endsAt: found.expiration?.getTime() };
    } catch (cause) {
      throw sourceError(cause);
    }
  });
}

/** A source that is away for the moment is worth another attempt; one that is missing or refuses is the operator's. */
function sourceError(cause: unknown): GatewayError {
  if (isPassing(cause))
    return new GatewayError("upstream_unavailable", "AWS gives the gateway no credentials. Try again.", { cause });
  return new GatewayError("upstream_denied", "The gateway has no AWS credentials. Tell its operator.", { cause });
}
