import { type LlmCall, tokensOf } from "./call.ts";
import { costOf } from "./cost/cost.ts";
import { GatewayError } from "./errors.ts";
import { CountersUnavailable } from "./limits/counters.ts";
import { budgetWarnings, type HeaderReader, headerReader, limitHeaders } from "./limits/limit-headers.ts";
import type { Estimate, Granted, LimitState, Refused } from "./limits/limiter.ts";
import type { Limit } from "./limits/limits.ts";
import type { Afterwards, Step } from "./pipeline.ts";
import type { Rules, StageContext } from "./stages.ts";

/**
 * Reserves what the call may use at most; afterwards settles by what it did use.
 * @throws GatewayError `rate_limited`, `budget_exhausted`, `auth_unavailable`
 */
export const limit: Step = (c) => {
  const rules = c.env.rules;
  const { model } = c.env;
  const { estimate } = c.env.call;
  const limits = rules.entitlements.limits(c.env.caller, model);
  try {
    const estimated = estimateOf(limits, model, estimate, rules);
    const reservation = rules.limiter.reserve(limits, estimated);
    return reservation instanceof Promise
      ? reservation.then((one) => granted(one, c), unavailable)
      : granted(reservation, c);
  } catch (error) {
    return unavailable(error);
  }
};

/** @returns the settlement, for when the request has ended */
function granted(reservation: Granted | Refused, c: StageContext): Afterwards {
  const draft = c.env.draft;
  if (!reservation.allowed) {
    draft.rule = reservation.strictest.bucket.limit.name;
    throw refusal(reservation, headerReader(c.env.call.dialect));
  }
  warnOfBudgets(reservation, c);
  c.env.granted = reservation;
  return () => {
    const settled = reservation.settle(usedOf(c));
    settled?.catch((error: unknown) => c.get("log").warn({ err: error }, "limits: a reservation was not settled"));
  };
}

function unavailable(error: unknown): never {
  if (!(error instanceof CountersUnavailable)) throw error;
  const message = "Limits cannot be checked right now, so nothing is let through. Try again shortly.";
  throw new GatewayError("auth_unavailable", message, { cause: error, retryAfterSeconds: 1 });
}

/** At the dearest of the deployments that may answer; no price is looked up where nobody has a budget. */
function estimateOf(
  limits: readonly Limit[],
  model: string,
  { inputTokens, outputTokens }: LlmCall["estimate"],
  { forwarding, findPrice }: Rules,
): Estimate {
  const tokens = inputTokens + outputTokens;
  if (!limits.some(hasBudget)) return { tokens, costUsd: null };
  const usage = { inputTokens, outputTokens, cacheReadTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 };
  const costs = forwarding.providerModels(model).map((providerModel) => costOf(usage, findPrice(providerModel, model)));
  const known = costs.filter((cost) => cost !== null);
  return { tokens, costUsd: known.length === 0 ? null : Math.max(...known) };
}

function hasBudget({ budget }: Limit): boolean {
  return budget !== undefined;
}

/** Undefined where nothing was answered, and nothing used. */
function usedOf({ env: { draft } }: StageContext): Estimate | undefined {
  const usage = draft.settlement?.usage;
  if (usage === undefined) return undefined;
  const costUsd = draft.costUsd ?? null;
  const tokens = Math.max(0, Math.min(tokensOf(usage), mostTokens));
  return { tokens, costUsd: costUsd === null ? null : Math.min(costUsd, mostUsd) };
}

/** An upstream may say any number; counters hold whole ones. */
const mostTokens = 1e12;
const mostUsd = 1e9;

function warnOfBudgets({ states }: Granted, c: StageContext): void {
  for (const { bucket, used } of budgetWarnings(states)) {
    const { limit: found, max } = bucket;
    c.get("log").warn({ limit: found.name, used_usd: used / 1e6, budget_usd: max / 1e6 }, "budget: nearly used up");
  }
}

function refusal({ strictest, states, retryAfterSeconds }: Refused, reader: HeaderReader): GatewayError {
  const headers = {
    ...limitHeaders(states, Date.now(), reader),
    "x-onbehalf-limit": encodeURI(strictest.bucket.limit.name.toWellFormed()),
  };
  const message = describe(strictest, retryAfterSeconds);
  if (strictest.bucket.dimension !== "budget")
    return new GatewayError("rate_limited", message, { headers, retryAfterSeconds });
  return new GatewayError("budget_exhausted", message, { headers, retryAfterSeconds, shouldRetry: false });
}

function describe({ bucket: { limit: found, dimension, max } }: LimitState, retryAfterSeconds: number): string {
  switch (dimension) {
    case "requests":
      return `The limit of ${max} requests a minute for ${found.name} is reached; try again in ${retryAfterSeconds} s.`;
    case "tokens":
      return `The limit of ${max} tokens a minute for ${found.name} is reached; try again in ${retryAfterSeconds} s, or ask for fewer (max_tokens).`;
    case "parallel":
      return `The limit of ${max} requests at once for ${found.name} is reached; wait until one of them has ended.`;
    case "budget":
      return `The budget of ${max / 1e6} USD a ${found.budget?.period} for ${found.name} is used up; it is renewed in ${retryAfterSeconds} s.`;
  }
}
