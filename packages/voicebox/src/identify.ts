import { HttpError } from "@onbehalf/service-kit";
import type { Verifier } from "@onbehalf/shared-auth";
import { type AuthVariables, authenticate } from "@onbehalf/shared-auth/hono";
import type { Context, MiddlewareHandler } from "hono";
import type { Caller } from "./caller.ts";

/** Lets in whoever has a token for this service, and remembers who that is. */
export function identifyUsers(verifier: Verifier, resourceMetadata: string): MiddlewareHandler {
  return authenticate(verifier, { resourceMetadata }) as MiddlewareHandler;
}

/** Without JWT authentication everybody is let in: the network has to keep strangers out. */
export function identifyNobody(): MiddlewareHandler {
  return (_c, next) => next();
}

const maxClientIdLength = 255;

/** The caller of a request that was let in; `clientId` is what an open service goes by. */
export function callerOf(c: Context, clientId: string | undefined): Caller {
  const identity: AuthVariables["identity"] | undefined = c.get("identity");
  if (identity !== undefined) return { kind: "user", identity, subject: c.get("subject") };
  const id = clientId ?? c.req.header("x-client-id");
  if (id === undefined || id === "" || id.length > maxClientIdLength) {
    const message = "Say who you are: `client_id` in the body or the header X-Client-Id, under 255 characters.";
    throw new HttpError(400, "invalid_request", message);
  }
  return { kind: "client", clientId: id };
}
