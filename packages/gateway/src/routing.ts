import type { Deployment } from "./deployments.ts";
import { modelIds } from "./model-ids.ts";

/** How a deployment has fared lately, by a clock that does not step. */
export interface Health {
  readonly failures: number;
  /** `performance.now()` until which it is left alone. */
  readonly restsUntil: number;
  /** True when the upstream itself asked for the rest (`Retry-After`). */
  readonly asked: boolean;
}

/** Of a deployment that nothing is held against. */
export const healthy: Health = { failures: 0, restsUntil: 0, asked: false };

interface CooldownRules {
  readonly allowedFails: number;
  readonly cooldownMs: number;
}

/** Health after one more failure. @param retryAfterMs what the upstream asked for, if anything */
export function afterFailure(
  health: Health,
  now: number,
  rules: CooldownRules,
  retryAfterMs: number | undefined,
): Health {
  const failures = health.failures + 1;
  if (retryAfterMs !== undefined)
    return { failures, restsUntil: Math.max(health.restsUntil, now + retryAfterMs), asked: true };
  if (failures < rules.allowedFails) return { ...health, failures };
  return {
    failures: 0,
    restsUntil: Math.max(health.restsUntil, now + rules.cooldownMs),
    asked: health.asked && health.restsUntil > now,
  };
}

/**
 * The order in which deployments of one name are tried: by `order`, within it by weighted chance, those that rest last.
 * @param random numbers from 0 to below 1
 */
export function tryOrder(
  deployments: readonly Deployment[],
  healthOf: (deployment: Deployment) => Health,
  now: number,
  random: () => number,
): Deployment[] {
  if (deployments.length === 1) return [...deployments];
  const drawn = deployments.map((deployment) => ({
    deployment,
    restsUntil: Math.max(0, healthOf(deployment).restsUntil - now),
    // The smallest of exponential draws with rate = weight wins with a chance in proportion to its weight.
    draw: -Math.log(1 - random()) / deployment.weight,
  }));
  const rests = (entry: { restsUntil: number }): number => (entry.restsUntil > 0 ? 1 : 0);
  return drawn
    .sort(
      (left, right) =>
        rests(left) - rests(right) ||
        (rests(left) === 1 ? left.restsUntil - right.restsUntil : 0) ||
        left.deployment.order - right.deployment.order ||
        left.draw - right.draw,
    )
    .map((entry) => entry.deployment);
}

type Aliases = Readonly<Record<string, { readonly model: string }>>;

interface ModelTable {
  /** Deployments by what a client asks for: none for what does not exist. */
  find(asked: string): readonly Deployment[];
  /** The configured name of what a client asks for by an alias or the provider's id; everything else is a name as it is. */
  nameOf(asked: string): string;
}

/** The exact name, else an alias, else the longest pattern that fits, else the first name whose model has such an id. */
export function createModelTable(deployments: readonly Deployment[], aliases: Aliases = {}): ModelTable {
  const exact = new Map<string, Deployment[]>();
  const patterns = new Map<string, Deployment[]>();
  const byId = new Map<string, string>();
  for (const deployment of deployments) {
    const table = deployment.name.endsWith("*") ? patterns : exact;
    const name = deployment.name.endsWith("*") ? deployment.name.slice(0, -1) : deployment.name;
    table.set(name, [...(table.get(name) ?? []), deployment]);
    for (const id of modelIds(deployment)) if (!byId.has(id)) byId.set(id, name);
  }
  const prefixes = [...patterns.keys()].sort((left, right) => right.length - left.length);
  const byPattern = (model: string): readonly Deployment[] => {
    const prefix = prefixes.find((candidate) => model.startsWith(candidate));
    if (prefix === undefined || !idForm.test(model.slice(prefix.length))) return [];
    return (patterns.get(prefix) ?? []).map((deployment) => filled(deployment, model.slice(prefix.length)));
  };
  const byAlias = new Map(Object.entries(aliases).map(([alias, { model }]) => [alias, model]));
  const nameOf = (asked: string): string => {
    if (exact.has(asked)) return asked;
    const model = byAlias.get(asked);
    if (model !== undefined) return model;
    const name = byId.get(asked);
    return name === undefined || byPattern(asked).length > 0 ? asked : name;
  };
  return {
    nameOf,
    find(asked) {
      const name = nameOf(asked);
      return exact.get(name) ?? byPattern(name);
    },
  };
}

/** What a pattern may stand for: a provider's id or ARN, and nothing that means something else in a path. */
const idForm = /^[A-Za-z0-9][\w.:@+/-]{0,511}$/;

/** A pattern's deployment for one name: what `*` stood for goes where the provider's id has its own `*`. */
function filled(deployment: Deployment, rest: string): Deployment {
  if (!deployment.modelId.includes("*")) return deployment;
  const modelId = deployment.modelId.replace("*", () => rest);
  return {
    ...deployment,
    key: `${deployment.key}/${modelId}`,
    modelId,
    providerModel: `${deployment.provider}/${modelId}`,
  };
}
