import type { Deployment } from "./deployments.ts";
import { modelNames } from "./upstreams/bedrock/model-id.ts";

/**
 * What else than its name a client may call a deployment: the provider's id of it, and of Claude on Bedrock the id of the
 * model without a geography, the short one of Bedrock's Messages API, and Anthropic's own, with and without its date. Clients bring such ids along: Claude Code
 * asks for `us.anthropic.claude-haiku-4-5-20251001-v1:0` or `claude-haiku-4-5-20251001` when nobody has told it a name.
 * Another geography than the deployment's is not among them: whoever names one may mean that no other is to see the data.
 */
export function modelIds({ name, provider, modelId }: Deployment): readonly string[] {
  if (name.endsWith("*")) return [];
  if (provider === "anthropic") return [modelId, undated(modelId)];
  if (provider !== "bedrock") return [modelId];
  const [whole, , unversioned] = modelNames(modelId);
  if (!unversioned.startsWith(claude)) return [modelId, whole];
  const own = unversioned.slice(claude.length - "claude-".length);
  return [modelId, whole, `anthropic.${own}`, `anthropic.${undated(own)}`, own, undated(own)];
}

const claude = "anthropic.claude-";

/** `claude-haiku-4-5-20251001` → `claude-haiku-4-5` */
function undated(id: string): string {
  return id.replace(/-\d{8}$/, "");
}
