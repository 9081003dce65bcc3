import type { Meters } from "@onbehalf/service-kit";
import type { RequestRow } from "./row.ts";

/** Tokens, dollars and waits, by model and outcome; never by person. */
export function createMeter(meters: Meters): (row: RequestRow) => void {
  const tokens = meters.counter("llm.tokens", { description: "Tokens read and written by models", unit: "{token}" });
  const cost = meters.counter("llm.cost", { description: "Cost of answers by the price table", unit: "{usd}" });
  const unpriced = meters.counter("llm.unpriced", { description: "Answers of models whose price is not known" });
  const first = meters.histogram("llm.first_token", { description: "Until the first byte of an answer", unit: "s" });
  return (row) => {
    if (row.provider_model === null) return;
    // The provider's id comes from the configuration; the name a client sends would be a label without bounds.
    const labels = { model: row.provider_model, outcome: row.outcome };
    tokens(row.prompt_tokens, { ...labels, kind: "prompt" });
    tokens(row.completion_tokens, { ...labels, kind: "completion" });
    if (row.cost_usd !== null) cost(row.cost_usd, labels);
    else if (row.tokens > 0) unpriced(1, labels);
    if (row.first_token_ms !== null) first(row.first_token_ms / 1000, labels);
  };
}
