import { type Dispatcher, fetch as undiciFetch } from "undici";

export interface WireOptions {
  /** Base URL of the gateway, as the configuration has it. */
  readonly serverUrl: string;
  readonly model: string;
  /** Connections to the gateway. */
  readonly dispatcher: Dispatcher;
}

/** The client's `fetch`, over connections that this service owns and closes. */
export function fetchThrough(dispatcher: Dispatcher): typeof globalThis.fetch {
  const through = (input: string | URL | Request, init?: RequestInit) =>
    undiciFetch(input as string | URL, { ...(init as object), dispatcher });
  return through as unknown as typeof globalThis.fetch;
}

/** Where the gateway itself stands, for wires whose paths begin at the root: without the `/v1` of OpenAI's base URLs. */
export function rootOf(serverUrl: string): string {
  return serverUrl.replace(/\/+$/, "").replace(/\/v1$/, "");
}
