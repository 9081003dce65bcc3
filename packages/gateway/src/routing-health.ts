import type { Deployment, RouterSettings } from "./deployments.ts";
import { GatewayError, noSuchModel } from "./errors.ts";
import { afterFailure, createModelTable, type Health, healthy, tryOrder } from "./routing.ts";

interface RouterOptions {
  readonly deployments: readonly Deployment[];
  readonly settings: RouterSettings;
  readonly random?: () => number;
  /** Milliseconds by a clock that does not step. */
  readonly now?: () => number;
}

/** Chooses deployments and remembers how they fared. */
export function createRouter(options: RouterOptions) {
  const { settings } = options;
  const now = options.now ?? (() => performance.now());
  const random = options.random ?? Math.random;
  const { find, nameOf } = createModelTable(options.deployments, settings.model_group_alias);
  const fallbacks = new Map(settings.fallbacks.flatMap((entry) => Object.entries(entry)));
  const rules = { allowedFails: settings.allowed_fails, cooldownMs: settings.cooldown_time * 1000 };
  // By deployment; bounded, because a pattern stands for any number of them.
  const health = new Map<string, Health>();
  const healthOf = (deployment: Deployment): Health => health.get(deployment.key) ?? healthy;

  return {
    /** @throws GatewayError `model_not_found`; `upstream_throttled` while every deployment's own Retry-After runs */
    candidates(model: string): readonly Deployment[] {
      const others = fallbacks.get(nameOf(model));
      const only = health.size === 0 && others === undefined ? find(model) : [];
      // The usual case: one place to ask, and nothing known against it or any other.
      if (only.length === 1 && only[0]?.problem === undefined) return only;
      const names = [model, ...(others ?? [])];
      const found = names.flatMap((name) => tryOrder(find(name), healthOf, now(), random));
      if (found.length === 0) throw noSuchModel(model);
      const usable = found.filter((deployment) => deployment.problem === undefined);
      if (usable.length === 0) {
        throw new GatewayError(
          "upstream_denied",
          `The model '${model}' is configured wrongly at the gateway. Tell its operator.`,
          { cause: found[0]?.problem },
        );
      }
      const wait = Math.min(...usable.map((deployment) => askedWaitMs(healthOf(deployment), now())));
      if (wait > 0) {
        throw new GatewayError("upstream_throttled", "The model provider is limiting requests. Try again later.", {
          retryAfterSeconds: Math.ceil(wait / 1000),
        });
      }
      return usable;
    },
    succeeded(deployment: Deployment): void {
      if (health.size > 0) health.delete(deployment.key);
    },
    failed(deployment: Deployment, error: GatewayError): void {
      const retryAfterMs = error.retryAfterSeconds === undefined ? undefined : error.retryAfterSeconds * 1000;
      const next = afterFailure(healthOf(deployment), now(), rules, retryAfterMs);
      if (health.size >= maxRemembered) health.clear();
      health.set(deployment.key, next);
    },
    find,
    nameOf,
  };
}

const maxRemembered = 10_000;

function askedWaitMs(health: Health, now: number): number {
  return health.asked ? Math.max(0, health.restsUntil - now) : 0;
}
