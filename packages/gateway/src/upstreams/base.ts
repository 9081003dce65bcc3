import type { Deployment } from "../deployments.ts";

/** A deployment's URL, taken apart once. */
export interface Base {
  readonly origin: string;
  readonly host: string;
  /** What the URL has before the operation's path, without a slash at its end. */
  readonly path: string;
}

/** Parses a base URL once per deployment, not per call. */
export function createBases(urlOf: (deployment: Deployment) => string): (deployment: Deployment) => Base {
  const bases = new WeakMap<Deployment["params"], Base>();
  return (deployment) => {
    const kept = bases.get(deployment.params);
    if (kept !== undefined) return kept;
    const url = new URL(urlOf(deployment));
    const base = { origin: url.origin, host: url.host, path: url.pathname.replace(/\/+$/, "") };
    bases.set(deployment.params, base);
    return base;
  };
}
