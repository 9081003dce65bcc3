import { isRecord } from "./compact.ts";

/** The part of the platform's `fetch` that is used: a URL as text, no Request objects. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** The platform's, looked up at each call: what replaces it later (a test, a tracer) is used. */
export const platformFetch: Fetch = (url, init) => globalThis.fetch(url, init);

/** No provider's document is worth more. */
interface FetchLimits {
  readonly timeoutMs: number;
  readonly maxBodyBytes: number;
}

/**
 * Reads one JSON object that a provider publishes. No redirects (RFC 8414 documents do not move), no waiting past the
 * time limit, no body past the size limit.
 * @throws Error with a reason for the log; the caller decides whose fault it is
 */
export async function fetchJson(fetch: Fetch, url: string, limits: FetchLimits): Promise<Record<string, unknown>> {
  const signal = AbortSignal.timeout(limits.timeoutMs);
  const response = await fetch(url, { headers: { accept: "application/json" }, redirect: "manual", signal });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`${url} answered ${response.status}, expected 200.`);
  }
  const value: unknown = JSON.parse(await readLimited(response, limits.maxBodyBytes));
  if (isRecord(value)) return value;
  throw new Error(`${url} did not answer with a JSON object.`);
}

/** The body as text, counted after decompression while it arrives, so that a bomb is cut at the limit. */
export async function readLimited(response: Response, maxBodyBytes: number): Promise<string> {
  if (response.body === null) return "";
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body) {
    bytes += chunk.byteLength;
    if (bytes > maxBodyBytes) throw new Error(`The answer is larger than ${maxBodyBytes} bytes.`);
    chunks.push(chunk);
  }
  return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
}

/** True for https, and for plain http when it does not leave this machine. */
export function isSecureUrl(value: string): boolean {
  const url = URL.parse(value);
  if (url === null || url.username !== "" || url.password !== "") return false;
  return url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url.hostname));
}

/** A URL that a document names. One that came by https does not lead to plain http, not even on this machine. */
export function isSecureFrom(document: string, value: unknown): value is string {
  if (typeof value !== "string" || !isSecureUrl(value)) return false;
  return URL.parse(document)?.protocol !== "https:" || URL.parse(value)?.protocol === "https:";
}

/**
 * True for the names and addresses of the machine itself, to which plain http may go.
 * @param hostname as URLs have it: lower case, an IPv6 address in brackets
 */
export function isLoopback(hostname: string): boolean {
  return /^(?:(?:.*\.)?localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(hostname);
}

/** @throws TypeError a programmer's or an operator's mistake, said at construction */
export function requireSecureUrl(value: string, name: string): string {
  if (isSecureUrl(value)) return value;
  throw new TypeError(`${name} must be an https URL (http on loopback only), and is ${JSON.stringify(value)}.`);
}
