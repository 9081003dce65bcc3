import { answerHeader } from "@onbehalf/service-kit";
import type { Step } from "../pipeline.ts";
import type { Route } from "../routes.ts";
import type { StageContext } from "../stages.ts";

interface CrossOrigin {
  /** Marks every answer to a page of an allowed origin as one that it may read, refusals included. */
  readonly mark: Step;
  /** Whether a page of an allowed origin may send what it is about to send. Undefined: the page's origin is not allowed. */
  readonly preflight: (c: StageContext) => Response | undefined;
}

/**
 * Lets pages of other origins call the gateway from the browser (Fetch, "CORS protocol"). Never with cookies: who calls
 * is said by the token that the page sends, and by nothing that a browser adds by itself.
 * @param origins as browsers name them, `https://chat.example.com`, or `*` for all
 */
export function allowOrigins(origins: readonly string[]): CrossOrigin {
  const every = origins.includes("*");
  const allowed = new Set(origins);
  const allowedOrigin = ({ env }: StageContext): string | undefined => {
    const { origin } = env.incoming.headers;
    if (typeof origin !== "string") return undefined;
    return every ? "*" : allowed.has(origin) ? origin : undefined;
  };
  return {
    mark(c) {
      // Also where the origin is missing or another: a cache must not give one page's answer to the next.
      if (!every) answerHeader(c, "vary", "origin");
      const origin = allowedOrigin(c);
      if (origin === undefined) return undefined;
      answerHeader(c, "access-control-allow-origin", origin);
      answerHeader(c, "access-control-expose-headers", "*");
      return undefined;
    },
    preflight(c) {
      if (allowedOrigin(c) === undefined) return undefined;
      c.env.route = preflightRoute;
      const { "access-control-request-headers": asked = "" } = c.env.incoming.headers;
      return c.body(null, 204, {
        "access-control-allow-methods": "GET, HEAD, POST",
        // A star would not cover Authorization.
        ...(isHeaderList(asked) ? { "access-control-allow-headers": asked } : {}),
        "access-control-max-age": String(rememberedSeconds),
      });
    },
  };
}

/** Asks for nothing of anybody's: logged, and not recorded. */
const preflightRoute: Route = { method: "OPTIONS", path: "*", aliases: [], kind: "public", dialect: undefined };

/** As long as Chromium remembers at most. */
const rememberedSeconds = 7200;

function isHeaderList(asked: string): boolean {
  return /^[\w-]+(?: ?, ?[\w-]+)*$/.test(asked);
}
