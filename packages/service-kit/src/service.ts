import type { Env } from "./config/env.ts";
import type { DestinationStream, Logger } from "./log.ts";

/** A running service. */
export interface Service {
  readonly name: string;
  readonly url: string;
  readonly port: number;
  /** Lets what runs come to its end, then stops; resolves when nothing of the service is left. */
  close(): Promise<void>;
}

/** Where a service writes its log; its own logger on standard output when absent. */
export interface ServiceIo {
  readonly log?: Logger | undefined;
  readonly destination?: DestinationStream | undefined;
}

/**
 * Starts a service from its environment alone.
 * @throws ConfigError with every problem of the configuration
 */
export type Start = (env: Env, io?: ServiceIo) => Promise<Service>;
