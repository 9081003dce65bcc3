import { type JsonObject, missing, positiveField } from "./body.ts";

/**
 * Tokens to think in, of Anthropic's `thinking`, which OpenAI-style clients of Claude say too.
 * @throws GatewayError `invalid_request` when it is enabled without them
 */
export function thinkingBudget(thinking: JsonObject | undefined): number | undefined {
  if (thinking?.type !== "enabled") return undefined;
  const budget = positiveField(thinking, "budget_tokens", "thinking.budget_tokens");
  if (budget === undefined) throw missing("thinking.budget_tokens");
  return budget;
}
