import { GatewayError } from "./errors.ts";
import type { Step } from "./pipeline.ts";

/**
 * May this caller use this route and model? In shadow mode a refusal is logged and recorded and the request goes on,
 * except on routes that change or show what belongs to others.
 * @throws GatewayError `forbidden`
 */
export const authorize: Step = (c) => {
  const { settings, entitlements } = c.env.rules;
  const route = c.env.route;
  const call = c.env.call;
  const decision = entitlements.decide(c.env.caller, route, call?.model);
  if (!decision.allowed) {
    const draft = c.env.draft;
    draft.rule = decision.rule;
    if (settings.policy.enforce || route.kind === "admin")
      throw new GatewayError("forbidden", sentence(decision.reason));
    draft.detail.would_refuse = { rule: decision.rule, reason: decision.reason };
    c.get("log").warn(
      { rule: decision.rule, reason: decision.reason },
      "policy: would have refused (enforce is false)",
    );
  }
  return undefined;
};

function sentence(reason: string): string {
  return `Not allowed: ${reason}.`;
}
