import { fromNodeProviderChain } from "@aws-sdk/credential-providers";
import type { Env } from "@onbehalf/service-kit";
import type { Deployment } from "../../deployments.ts";
import { GatewayError } from "../../errors.ts";
import type { AwsCredentials } from "./signer.ts";

/** A key for `Authorization: Bearer`, or credentials to sign with. */
export type BedrockCredentials = { readonly bearer: string } | AwsCredentials;

/** Credentials that end are fetched anew this long before. */
const refreshBeforeMs = 5 * 60_000;

/**
 * Whose credentials a deployment's calls carry: its own, the environment's, else what AWS's credential chain finds
 * (profile, web identity, container, instance). The chain is asked once until its answer ages.
 */
export function createCredentials(env: Env, bearerKey: string | undefined) {
  const fromEnvironment = staticCredentials(env.AWS_ACCESS_KEY_ID, env.AWS_SECRET_ACCESS_KEY, env.AWS_SESSION_TOKEN);
  const bearer = bearerKey ?? env.AWS_BEARER_TOKEN_BEDROCK;
  const chain = createChain();
  const shared = bearer === undefined ? (fromEnvironment ?? "chain") : { bearer };
  // The same object for each call: what is derived from credentials is kept with them.
  const ofDeployments = new WeakMap<Deployment["params"], BedrockCredentials | "chain">();
  return (deployment: Deployment): BedrockCredentials | Promise<BedrockCredentials> => {
    let own = ofDeployments.get(deployment.params);
    if (own === undefined) {
      own = credentialsIn(deployment.params) ?? shared;
      ofDeployments.set(deployment.params, own);
    }
    return own === "chain" ? chain() : own;
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

function createChain(): () => AwsCredentials | Promise<AwsCredentials> {
  const provider = fromNodeProviderChain();
  let kept: { readonly credentials: AwsCredentials; readonly until: number } | undefined;
  let running: Promise<AwsCredentials> | undefined;
  const fetch = async (): Promise<AwsCredentials> => {
    try {
      const found = await provider();
      kept = {
        credentials: found,
        until: found.expiration === undefined ? Number.POSITIVE_INFINITY : found.expiration.getTime() - refreshBeforeMs,
      };
      return found;
    } catch (cause) {
      throw new GatewayError("upstream_denied", "The gateway has no AWS credentials. Tell its operator.", { cause });
    } finally {
      running = undefined;
    }
  };
  return () => {
    if (kept !== undefined && kept.until > Date.now()) return kept.credentials;
    running ??= fetch();
    return running;
  };
}
