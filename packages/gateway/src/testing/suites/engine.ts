import type { Env } from "@onbehalf/service-kit";

/** What the gateway keeps its data in: the same tests run on each. */
export interface Engine {
  readonly name: string;
  /** True when several gateways given the same environment share keys, limits and rows. */
  readonly shared: boolean;
  /** The variables of a database and counters nobody else uses. */
  fresh(): Promise<Env>;
}

/** SQLite and memory: what a gateway has that is told nothing. */
export const builtIn: Engine = { name: "SQLite and memory", shared: false, fresh: async () => ({}) };
