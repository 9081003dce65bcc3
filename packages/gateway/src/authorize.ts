import { GatewayError, noSuchModel } from "./errors.ts";
import type { Step } from "./pipeline.ts";
import type { StageContext } from "./stages.ts";

/**
 * May this caller use this route and model? In shadow mode a refusal is logged and recorded and the request goes on,
 * except on routes that change or show what belongs to others.
 * @throws GatewayError `forbidden`; `model_not_found` where only a model is at fault that does not exist
 */
export const authorize: Step = (c) => {
  const { settings, entitlements } = c.env.rules;
  const route = c.env.route;
  const { caller, model } = c.env;
  const decision = entitlements.decide(caller, route, model);
  if (!decision.allowed) {
    const enforced = settings.policy.enforce || route.kind === "admin";
    if (enforced && model !== undefined && asksForNothing(c, model)) throw noSuchModel(c.env.call.model);
    const draft = c.env.draft;
    draft.rule = decision.rule;
    if (enforced) throw new GatewayError("forbidden", sentence(decision.reason));
    draft.detail.would_refuse = { rule: decision.rule, reason: decision.reason };
    c.get("log").warn(
      { rule: decision.rule, reason: decision.reason },
      "policy: would have refused (enforce is false)",
    );
  }
  return undefined;
};

/** The route is open to the caller, and no model has the name: a word about rights would send him the wrong way. */
function asksForNothing({ env: { rules, caller, route } }: StageContext, model: string): boolean {
  const { entitlements, forwarding } = rules;
  return forwarding.providerModels(model).length === 0 && entitlements.decide(caller, route, undefined).allowed;
}

function sentence(reason: string): string {
  return `Not allowed: ${reason}.`;
}
