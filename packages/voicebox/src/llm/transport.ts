import { Readable } from "node:stream";
import { type Dispatcher, request } from "undici";

/** How a protocol's own client reaches the gateway. */
export interface WireOptions {
  /** Base URL of the gateway, as the configuration has it. */
  readonly serverUrl: string;
  readonly model: string;
  /** Connections to the gateway. */
  readonly dispatcher: Dispatcher;
}

/**
 * The official clients' `fetch`, over connections that this service owns. Not a real `fetch` underneath: that one costs
 * more than everything else in a call together.
 */
export function fetchThrough(dispatcher: Dispatcher): typeof globalThis.fetch {
  return async (input, init = {}) => {
    const { statusCode, headers, body } = await request(String(input), {
      dispatcher,
      method: (init.method ?? "GET") as Dispatcher.HttpMethod,
      headers: Object.fromEntries(new Headers(init.headers)),
      body:
        typeof init.body === "string" ? init.body : Buffer.from(await new Response(init.body ?? null).arrayBuffer()),
      signal: init.signal ?? null,
    });
    const kept = new Headers();
    for (const [name, value] of Object.entries(headers)) if (typeof value === "string") kept.set(name, value);
    const isStream = String(headers["content-type"] ?? "").startsWith("text/event-stream");
    const content = isStream ? (Readable.toWeb(body) as ReadableStream<Uint8Array>) : await body.text();
    return new Response(bodiless.has(statusCode) ? null : content, { status: statusCode, headers: kept });
  };
}

const bodiless = new Set([204, 205, 304]);

/** Where the gateway itself stands, for wires whose paths begin at the root: without the `/v1` of OpenAI's base URLs. */
export function rootOf(serverUrl: string): string {
  return serverUrl.replace(/\/+$/, "").replace(/\/v1$/, "");
}
