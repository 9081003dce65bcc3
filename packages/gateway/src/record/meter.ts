import type { Labels, Meters } from "@onbehalf/service-kit";
import type { EndedRow, Outcome } from "./row.ts";

/** Tokens, dollars and waits, by model and outcome; never by person. */
export function createMeter(meters: Meters): (row: EndedRow) => void {
  const tokens = meters.counter("llm.tokens", { description: "Tokens read and written by models", unit: "{token}" });
  const cost = meters.counter("llm.cost", { description: "Cost of answers by the price table", unit: "{usd}" });
  const unpriced = meters.counter("llm.unpriced", { description: "Answers of models whose price is not known" });
  const first = meters.histogram("llm.first_token", { description: "Until the first byte of an answer", unit: "s" });
  const labelsOf = createLabels();
  return (row) => {
    if (row.provider_model === null) return;
    // By the provider's id, not by the name a client sends.
    const { both, prompt, completion } = labelsOf(row.provider_model, row.outcome);
    tokens(row.prompt_tokens, prompt);
    tokens(row.completion_tokens, completion);
    if (row.cost_usd !== null) cost(row.cost_usd, both);
    else if (row.tokens > 0) unpriced(1, both);
    if (row.first_token_ms !== null) first(row.first_token_ms / 1000, both);
  };
}

interface RowLabels {
  readonly both: Labels;
  readonly prompt: Labels;
  readonly completion: Labels;
}

/** Under a pattern for models the provider's id has the client's word in it. */
const maxModels = 1_000;

/** Labels are made once, and so nothing is made where nobody listens. */
function createLabels(): (model: string, outcome: Outcome) => RowLabels {
  const known = new Map<string, Map<Outcome, RowLabels>>();
  return (model, outcome) => {
    const found = known.get(model)?.get(outcome);
    if (found !== undefined) return found;
    const both = { model, outcome };
    const made = { both, prompt: { ...both, kind: "prompt" }, completion: { ...both, kind: "completion" } };
    if (known.size >= maxModels) known.clear();
    const ofModel = known.get(model) ?? new Map<Outcome, RowLabels>();
    known.set(model, ofModel.set(outcome, made));
    return made;
  };
}
