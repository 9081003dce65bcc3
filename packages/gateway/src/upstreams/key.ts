import type { CallerTag } from "../call.ts";
import type { Deployment } from "../deployments.ts";

/**
 * What a deployment's provider knows the caller by: the gateway's own key, or a token exchanged for the caller's.
 * Undefined for servers that ask for none.
 */
export type KeyOf = (deployment: Deployment, caller: CallerTag) => string | undefined | Promise<string | undefined>;

/** The operator's own key, for calls in the gateway's name. */
export function serverKey(deployment: Deployment): string | undefined {
  return deployment.params.api_key;
}
