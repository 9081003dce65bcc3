import { type LlmCall, noUsage, type Settlement, tokensOf, type Usage } from "./call.ts";
import type { Deployment } from "./deployments.ts";
import { charactersPerToken } from "./dialects/estimate.ts";
import type { RelayResult } from "./streams/relay.ts";

/** Stop reasons of an answer that may have cost nothing: the model need not have been asked. */
const filtered: ReadonlySet<string | undefined> = new Set(["guardrail_intervened", "content_filtered"]);
/** Stop reasons that the record tells apart from an ordinary end. */
const notable: ReadonlySet<string | undefined> = new Set([...filtered, "malformed_model_output", "malformed_tool_use"]);

type Sent = Extract<RelayResult, { kind: "sent" }>;

/** How a call that reached the client ended, for the record, the limits and the bill. */
export function settlementOf(result: Sent, call: LlmCall, deployment: Deployment, startedAt: number): Settlement {
  const { progress, outcome } = result;
  const stopped = notable.has(progress.stopReason) ? progress.stopReason : undefined;
  // Counting costs nothing, and a call that went well says nothing else of what it cost.
  const free = outcome === "ok" && call.operation === "count_tokens";
  const usage = free ? undefined : counted(progress.usage, filtered.has(progress.stopReason));
  return {
    outcome,
    status: result.firstByteAt === undefined ? 499 : 200,
    errorCode: result.error?.code ?? (outcome === "aborted" ? "client_gone" : stopped),
    providerModel: deployment.providerModel,
    usage: usage ?? (free ? undefined : estimated(result, call)),
    usageEstimated: usage === undefined && !free,
    firstTokenMs: result.firstByteAt === undefined ? undefined : result.firstByteAt - startedAt,
  };
}

/** Nothing is answered for nothing: a count of nothing is no count, unless the model was never asked. */
function counted(usage: Usage | undefined, unasked: boolean): Usage | undefined {
  return usage !== undefined && (unasked || tokensOf(usage) > 0) ? usage : undefined;
}

/**
 * Without the upstream's count, what was asked and what was heard of the answer is counted by its length. Where an answer
 * came whole and nobody listened, it counts as what was reserved for it.
 */
function estimated({ progress, outcome }: Sent, { estimate, stream }: LlmCall): Usage {
  const heard = Math.ceil(progress.characters / charactersPerToken);
  const unheard = outcome === "ok" && !stream && heard === 0;
  return { ...noUsage, inputTokens: estimate.inputTokens, outputTokens: unheard ? estimate.outputTokens : heard };
}
