import type { MiddlewareHandler } from "hono";
import { answerHeader } from "./request.ts";

/** The headers that differ from service to service; the others are the same for all. */
export interface SecurityHeadersOptions {
  /** For answers that are pages; answers of an API load nothing. */
  readonly contentSecurityPolicy?: string | undefined;
  /** Pages with forms need `same-origin`: without a referrer browsers send `Origin: null` with them. */
  readonly referrerPolicy?: "no-referrer" | "same-origin" | "strict-origin-when-cross-origin" | undefined;
  /** Only where the service is reached by https. */
  readonly strictTransportSecurity?: boolean | undefined;
}

const nothing = "default-src 'none'; frame-ancestors 'none'";

/** Headers that tell a browser to do no more with an answer than it is for. A handler may still set its own. */
export function securityHeaders(options: SecurityHeadersOptions = {}): MiddlewareHandler {
  const headers: [string, string][] = [
    ["content-security-policy", options.contentSecurityPolicy ?? nothing],
    ["x-content-type-options", "nosniff"],
    ["referrer-policy", options.referrerPolicy ?? "no-referrer"],
    ["cross-origin-opener-policy", "same-origin"],
    ["cross-origin-resource-policy", "same-origin"],
  ];
  if (options.strictTransportSecurity === true) headers.push(["strict-transport-security", "max-age=31536000"]);
  return async (c, next) => {
    for (const [name, value] of headers) answerHeader(c, name, value);
    await next();
  };
}
