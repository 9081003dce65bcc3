import type { KeyValueStore } from "@onbehalf/service-kit";
import { asymmetricAlgorithms } from "@onbehalf/shared-auth";
import { createRemoteJWKSet, jwtVerify } from "jose";
import { z } from "zod";
import type { Provider } from "./provider.ts";

/** Whose sessions a provider wants ended. One of the two is always there. */
export interface LogoutOrder {
  readonly issuer: string;
  readonly subject: string | undefined;
  readonly providerSession: string | undefined;
  /** To be called when it was carried out; from then on the same token is refused. */
  done(): Promise<void>;
}

const event = "http://schemas.openid.net/event/backchannel-logout";
const shape = z
  .object({
    iss: z.string(),
    jti: z.string().min(1),
    sub: z.string().optional(),
    sid: z.string().optional(),
    nonce: z.undefined().optional(),
    events: z.object({ [event]: z.record(z.string(), z.unknown()) }),
  })
  .refine(({ sub, sid }) => sub !== undefined || sid !== undefined);

/** An order is carried out at once or not at all. */
const maxAgeSeconds = 300;
const skewSeconds = 60;

/**
 * Verifies logout tokens (OpenID Connect Back-Channel Logout 1.0 section 2.6). The answered function rejects when the
 * token is not a valid order from this provider to this client, or was one before.
 * @param seen remembers orders, for all replicas where it is shared
 */
export function createLogoutTokens(
  seen: Pick<KeyValueStore, "get" | "set">,
): (provider: Provider, token: string) => Promise<LogoutOrder> {
  const keys = new Map<string, ReturnType<typeof createRemoteJWKSet>>();

  function keysAt(uri: string): ReturnType<typeof createRemoteJWKSet> {
    const known = keys.get(uri);
    const found = known ?? createRemoteJWKSet(new URL(uri), { timeoutDuration: 5000, cooldownDuration: 10_000 });
    keys.set(uri, found);
    return found;
  }

  return async (provider, token) => {
    const metadata = await provider.metadata();
    if (metadata.jwks_uri === undefined) throw new Error("the provider publishes no keys");
    const { payload, protectedHeader } = await jwtVerify(token, keysAt(metadata.jwks_uri), {
      issuer: metadata.issuer,
      audience: provider.config.clientId,
      // All that a published key can make: whoever signs in by a provider's ID tokens is signed out by its orders.
      algorithms: [...asymmetricAlgorithms],
      requiredClaims: ["iat", "jti", "events"],
      maxTokenAge: maxAgeSeconds,
      clockTolerance: skewSeconds,
    });
    // An access or ID token is not an order, however good its signature.
    if (!["logout+jwt", "JWT", undefined].includes(protectedHeader.typ)) throw new Error("typ is not logout+jwt");
    const order = shape.parse(payload);
    // An order is carried out once: a copy of it must not end the sessions that were opened since.
    const key = `logout:${order.iss}:${order.jti}`;
    if ((await seen.get(key)) !== undefined) throw new Error("the order was carried out before");
    const done = (): Promise<void> => seen.set(key, "done", { ttlSeconds: maxAgeSeconds + 2 * skewSeconds });
    return { issuer: order.iss, subject: order.sub, providerSession: order.sid, done };
  };
}
