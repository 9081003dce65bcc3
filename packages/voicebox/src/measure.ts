import type { Meters } from "@onbehalf/service-kit";

/** What is counted besides requests: exchanges, queries and tokens. Labels are few and never a person. */
export interface Measures {
  exchange(outcome: "fresh" | "cached" | "failed", milliseconds: number): void;
  query(tool: string, outcome: "ok" | "refused"): void;
  tokens(input: number, output: number, model: string): void;
}

const millisecondsPerSecond = 1_000;

export function createMeasures(meters: Meters): Measures {
  const exchanges = meters.histogram("voicebox.exchange.duration", {
    description: "Tokens for the gateway, by how they were come by.",
    unit: "s",
  });
  const queries = meters.counter("voicebox.queries", { description: "Calls of the model's tools.", unit: "{call}" });
  const tokens = meters.counter("voicebox.model.tokens", {
    description: "Tokens that the model read and wrote.",
    unit: "{token}",
  });
  return {
    exchange: (outcome, milliseconds) => exchanges(milliseconds / millisecondsPerSecond, { outcome }),
    query: (tool, outcome) => queries(1, { tool, outcome }),
    tokens(input, output, model) {
      tokens(input, { model, direction: "input" });
      tokens(output, { model, direction: "output" });
    },
  };
}
