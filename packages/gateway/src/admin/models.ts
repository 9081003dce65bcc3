import { GatewayError } from "../errors.ts";
import { decide } from "../policy/policy.ts";
import { type Route, routes } from "../routes.ts";
import type { StageContext } from "../stages.ts";

const chat = routes.slice(0, 1);
/** Long before any model; clients only want a number. */
const created = 1_700_000_000;

/**
 * The models that the caller may use, by the names clients ask for, aliases among them. Wildcard entries name no model.
 * @param by the routes that use them: one that is allowed suffices
 */
export function permittedModels(c: StageContext, by: readonly Route[]): readonly string[] {
  const { settings, forwarding } = c.env.rules;
  const aliases = Object.entries(settings.file.router_settings?.model_group_alias ?? {});
  const shown = aliases.flatMap(([alias, { hidden }]) => (hidden ? [] : [alias]));
  const configured = settings.models.map(({ model_name: name }) => name).filter((name) => !name.includes("*"));
  const names = [...new Set([...configured, ...shown])];
  if (!settings.policy.enforce) return names;
  const allowed = (route: Route, model: string) => decide(settings.policy, c.env.caller, { route, model }).allowed;
  return names.filter((name) => by.some((route) => allowed(route, forwarding.nameOf(name))));
}

/** `GET /v1/models`: OpenAI's form, or Anthropic's when its version header is there. */
export function listModels(c: StageContext): Response {
  const names = permittedModels(c, chat);
  if (!isAnthropic(c)) return c.json({ object: "list", data: names.map(openaiModel) });
  return c.json({
    data: names.map(anthropicModel),
    has_more: false,
    first_id: names[0] ?? null,
    last_id: names.at(-1) ?? null,
  });
}

/** `GET /v1/models/{id}`, by name or provider's id; a model the caller may not use does not exist for him. */
export function oneModel(c: StageContext): Response {
  const asked = c.req.param("id") ?? "";
  const permitted = permittedModels(c, chat);
  const id = permitted.includes(asked) ? asked : c.env.rules.forwarding.nameOf(asked);
  if (!permitted.includes(id))
    throw new GatewayError(
      "model_not_found",
      `There is no model ${asked} for you here; GET /v1/models lists those there are.`,
    );
  return c.json(isAnthropic(c) ? anthropicModel(id) : openaiModel(id));
}

function isAnthropic(c: StageContext): boolean {
  return c.req.header("anthropic-version") !== undefined;
}

function openaiModel(id: string) {
  return { id, object: "model", created, owned_by: "onbehalf" };
}

/**
 * Clients read what the SDK's types promise. A name may stand for models of several providers, so what one of them can do
 * is not said of it; it is there as long as it is configured.
 */
export function anthropicModel(id: string) {
  return {
    type: "model",
    id,
    display_name: id,
    created_at: new Date(created * 1000).toISOString(),
    lifecycle: "active",
    deprecated_at: null,
    retires_at: null,
    line: null,
    capabilities: null,
    max_input_tokens: null,
    max_tokens: null,
    allowed_fallback_models: null,
  };
}
