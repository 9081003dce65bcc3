import type { LlmCall, Settlement, Usage } from "./call.ts";
import type { Deployment } from "./deployments.ts";
import { noUsage } from "./dialects/conversation.ts";
import type { RelayResult } from "./streams/relay.ts";

const charactersPerToken = 4;
/** Stop reasons that the record tells apart from an ordinary end. */
const notable = new Set(["guardrail_intervened", "content_filtered"]);

/** How a call that reached the client ended, for the record, the limits and the bill. */
export function settlementOf(
  result: Extract<RelayResult, { kind: "sent" }>,
  call: LlmCall,
  deployment: Deployment,
  startedAt: number,
): Settlement {
  const { progress, outcome } = result;
  const stopped =
    progress.stopReason !== undefined && notable.has(progress.stopReason) ? progress.stopReason : undefined;
  // Counting costs nothing, and a call that went well says nothing else of what it cost.
  const free = outcome === "ok" && call.operation === "count_tokens";
  return {
    outcome,
    status: result.firstByteAt === undefined ? 499 : 200,
    errorCode: result.error?.code ?? (outcome === "aborted" ? "client_gone" : stopped),
    providerModel: deployment.providerModel,
    usage: progress.usage ?? (free ? undefined : estimated(progress.characters, call)),
    usageEstimated: progress.usage === undefined && !free,
    firstTokenMs: result.firstByteAt === undefined ? undefined : result.firstByteAt - startedAt,
  };
}

/** Without the upstream's count, what was asked and what was heard of the answer is counted by its length. */
function estimated(characters: number, call: LlmCall): Usage {
  return {
    ...noUsage,
    inputTokens: call.estimate.inputTokens,
    outputTokens: Math.ceil(characters / charactersPerToken),
  };
}
