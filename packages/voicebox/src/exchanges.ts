import { type CachedExchange, cached, memoryTokenStore, type OnEvent, type TokenStore } from "@onbehalf/shared-auth";
import { createExchange } from "@onbehalf/shared-auth/exchange";
import type { Access } from "./config.ts";

/** Where else a token may be needed: a database that knows its users. */
interface Target {
  readonly audience: string | undefined;
  readonly scope: string | undefined;
}

/** Every exchange that Voicebox makes, all with one store, so that a purge forgets them together. */
export interface Exchanges {
  readonly gateway: CachedExchange;
  to(target: Target): CachedExchange;
}

const maxEntries = 50_000;

/** @throws TypeError when the settings are incomplete for the provider's profile */
export function createExchanges(
  access: Extract<Access, { kind: "jwt" }>,
  store: TokenStore = memoryTokenStore({ maxEntries }),
  onEvent: OnEvent = () => undefined,
): Exchanges {
  const made = new Map<string, CachedExchange>();
  const make = (options: typeof access.exchange): CachedExchange =>
    cached(createExchange({ ...options, onEvent }), {
      store,
      ttlSeconds: access.tokenCacheTtlSeconds,
      expiryBufferSeconds: access.tokenCacheBufferSeconds,
      onEvent,
    });
  return {
    gateway: make(access.exchange),
    to({ audience, scope }) {
      const key = JSON.stringify([audience, scope]);
      const known = made.get(key) ?? make(aimedAt(access.exchange, audience, scope));
      made.set(key, known);
      return known;
    },
  };
}

function aimedAt(
  { audience: _, scopes: __, ...client }: Extract<Access, { kind: "jwt" }>["exchange"],
  audience: string | undefined,
  scope: string | undefined,
): Extract<Access, { kind: "jwt" }>["exchange"] {
  return {
    ...client,
    ...(audience === undefined ? {} : { audience }),
    ...(scope === undefined ? {} : { scopes: scope.split(/[\s,]+/) }),
  };
}
