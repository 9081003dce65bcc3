import { z } from "zod";
import type { Caller } from "../caller.ts";
import { knownRole } from "../claims.ts";
import { GatewayError } from "../errors.ts";
import { type LimitRule, limitsFor } from "../limits/limits.ts";
import { decide } from "../policy/policy.ts";
import { findRoute, type Route, routeName } from "../routes.ts";
import type { StageContext } from "../stages.ts";
import { readJson } from "./read-json.ts";
import { text } from "./text.ts";

const name = text(300);
const request = z.strictObject({
  /** `POST /v1/chat/completions`, or the path alone. */
  route: text(500),
  model: name.optional(),
  /** Somebody else, described; administrators only. */
  identity: z
    .strictObject({
      user_id: name.optional(),
      groups: z.array(name).max(1000).default([]),
      role: name.default("user"),
      team_id: name.optional(),
      client_id: name.optional(),
    })
    .optional(),
});

/** `POST /policy/explain`: may this identity call this route and model, by which rule, and under which limits. */
export async function explain(c: StageContext): Promise<Response> {
  const asked = await readJson(c, request);
  const { policy, limits } = c.env.rules.settings;
  const caller = asked.identity === undefined ? c.env.caller : described(c, asked.identity);
  const route = routeOf(asked.route);
  if (route === undefined) {
    return c.json({
      allowed: false,
      rule: "default deny",
      reason: `there is no route ${asked.route}`,
      enforced: true,
      limits: [],
    });
  }
  const model = asked.model === undefined ? undefined : c.env.rules.forwarding.nameOf(asked.model);
  const decision = decide(policy, caller, { route, model });
  const counted = model === undefined || route.kind !== "llm" ? [] : limitsFor(limits, caller, model);
  return c.json({
    allowed: decision.allowed,
    rule: decision.rule,
    reason: decision.reason,
    enforced: policy.enforce || route.kind === "admin",
    route: routeName(route),
    model: model ?? null,
    identity: { user_id: caller.userId, role: caller.role, groups: caller.groups, team_id: caller.teamId ?? null },
    limits: counted.map((limit) => ({ name: limit.name, ...ruleView(limit) })),
  });
}

type Described = NonNullable<z.output<typeof request>["identity"]>;

function described(c: StageContext, identity: Described): Caller {
  const asking = c.env.caller;
  if (asking.role !== "admin")
    throw new GatewayError("forbidden", "Not allowed: only an administrator can ask about another identity.");
  const role = knownRole(identity.role);
  if (role === undefined) throw new GatewayError("invalid_request", `identity.role: ${identity.role} is no role.`);
  return {
    ...asking,
    credential: "jwt",
    subject: identity.user_id ?? "described",
    userId: identity.user_id ?? "described",
    kind: "user",
    role,
    groups: identity.groups,
    groupsState: "listed",
    teamId: identity.team_id,
    clientId: identity.client_id,
    key: undefined,
  };
}

function routeOf(text: string): Route | undefined {
  const [, method, path = ""] = /^(?:([A-Z]+) )?(\/\S*)$/.exec(text) ?? [];
  const methods = method === undefined ? ["POST", "GET"] : [method];
  return methods.map((one) => findRoute(one, path)).find((route) => route !== undefined);
}

function ruleView({ rpm, tpm, maxParallel, budget }: LimitRule) {
  return {
    ...(rpm === undefined ? {} : { rpm }),
    ...(tpm === undefined ? {} : { tpm }),
    ...(maxParallel === undefined ? {} : { max_parallel: maxParallel }),
    ...(budget === undefined ? {} : { budget: { usd: budget.usd, period: budget.period } }),
  };
}
