import { readFileSync } from "node:fs";
import type { Fetch } from "../fetch-json.ts";

/** Files are read once, at construction. */
export interface MutualTlsOptions {
  /** PEM file with the client's certificate, and its chain. */
  readonly certFile: string;
  /** PEM file with the certificate's private key. */
  readonly keyFile: string;
  /** PEM file with the authority that vouches for the server, when the system does not know it. */
  readonly caFile?: string | undefined;
}

/**
 * A fetch that shows a client certificate (RFC 8705 section 2): give it to `createExchange` as `fetch`, with
 * `clientAuth: { method: "tls_client_auth" }`.
 * @throws Error when a file cannot be read
 */
export function mutualTlsFetch({ certFile, keyFile, caFile }: MutualTlsOptions): Fetch {
  const files = { cert: readFileSync(certFile), key: readFileSync(keyFile) };
  const connect = caFile === undefined ? files : { ...files, ca: readFileSync(caFile) };
  // Loaded on first use: nobody else needs undici itself.
  let client: Promise<Fetch> | undefined;
  return async (url, init) => {
    client ??= import("undici").then(({ Agent, fetch }) => {
      const dispatcher = new Agent({ connect });
      const shown = (address: string, options: RequestInit) =>
        fetch(address, { ...options, dispatcher } as Parameters<typeof fetch>[1]);
      // undici's Response is the platform's own, of another version.
      return shown as unknown as Fetch;
    });
    return (await client)(url, init);
  };
}
