import { AuthError, type CachedExchange, cached, type Exchange, type TokenStore } from "@onbehalf/shared-auth";
import { createExchange } from "@onbehalf/shared-auth/exchange";
import type { Caller } from "./caller.ts";
import type { LaunchpadConfig } from "./config.ts";
import type { ProviderConfig } from "./providers-config.ts";
import type { KeepFresh } from "./session/refresh.ts";
import type { Session } from "./session/session.ts";

/** For each login provider the exchange to a token for Voicebox, cached. */
export function createExchanges(config: LaunchpadConfig, store: TokenStore | undefined): Exchanges {
  const all: ReadonlyMap<string, CachedExchange> = new Map(
    config.providers.map((provider) => [
      provider.id,
      cached(exchangeFor(provider, config.voicebox.scopes), store === undefined ? {} : { store }),
    ]),
  );
  return {
    of(provider) {
      const found = all.get(provider);
      if (found === undefined) throw new Error(`the login provider ${provider} is not configured any more`);
      return found;
    },
  };
}

/** One exchange for each login provider, since each knows its own people's tokens. */
export interface Exchanges {
  /** The exchange at one login provider. */
  of(provider: string): CachedExchange;
}

function exchangeFor({ issuer, exchange }: ProviderConfig, scopes: readonly string[]): Exchange {
  return createExchange({
    profile: exchange.profile,
    issuer: { discoveryUrl: `${issuer}/.well-known/openid-configuration` },
    clientId: exchange.clientId,
    clientAuth: exchange.auth,
    audience: exchange.audience,
    scopes: exchange.scopes ?? scopes,
  });
}

/**
 * The token for Voicebox on behalf of a session. The login's token is renewed before it ends, and once more when the
 * authorization server no longer takes it.
 */
export function tokenForSession(exchanges: Exchanges, keepFresh: KeepFresh) {
  return (session: Session): Caller["token"] => {
    const exchange = exchanges.of(session.provider);
    return async (signal, rejected) => {
      const call = rejected === undefined ? { signal } : { signal, rejected };
      const fresh = await keepFresh(session);
      try {
        return await exchange(subjectOf(fresh), call);
      } catch (error) {
        if (!(error instanceof AuthError) || error.code !== "subject_rejected") throw error;
        return exchange(subjectOf(await keepFresh(fresh, fresh.tokens.access)), { signal });
      }
    };
  };
}

function subjectOf({ user, tokens }: Session) {
  const { issuer, subject } = user;
  return { token: tokens.access, identity: { issuer, subject, expiresAt: tokens.accessExpiresAt } };
}
