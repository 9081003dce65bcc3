import { HttpError } from "@onbehalf/service-kit";
import type { ScopedToken } from "@onbehalf/shared-auth";
import { clientAuthentication } from "@onbehalf/shared-auth/exchange";
import * as oidc from "openid-client";
import type { ProviderConfig } from "./providers-config.ts";

/** A token is not given out in the last minute of its life. */
const marginSeconds = 60;

/**
 * A token for Voicebox that speaks for this service itself (client credentials, RFC 6749 section 4.4): for applications
 * that come with their key alone, where no user is known. It is nobody's: every such request shares it.
 */
export function createAppToken(
  { issuer, exchange, label }: ProviderConfig,
  scopes: readonly string[],
  now: () => number = Date.now,
): () => Promise<ScopedToken> {
  const authenticate = clientAuthentication(exchange.auth);
  let kept: ScopedToken | undefined;
  let flight: Promise<ScopedToken> | undefined;

  async function obtain(): Promise<ScopedToken> {
    try {
      const server = await connect();
      const audience: Record<string, string> = exchange.audience === undefined ? {} : { audience: exchange.audience };
      const answer = await oidc.clientCredentialsGrant(server, {
        scope: (exchange.scopes ?? scopes).join(" "),
        ...audience,
      });
      const expiresIn = answer.expiresIn();
      kept = {
        accessToken: answer.access_token,
        tokenType: "Bearer",
        expiresAt: expiresIn === undefined ? undefined : Math.floor(now() / 1000) + expiresIn,
        audience: exchange.audience,
        scopes: answer.scope?.split(" ") ?? scopes,
        issuer,
        clientId: exchange.clientId,
        source: "fresh",
      };
      return kept;
    } catch (cause) {
      throw failure(cause, label);
    }
  }

  async function connect(): Promise<oidc.Configuration> {
    return oidc.discovery(new URL(issuer), exchange.clientId, {}, authenticate, {
      timeout: 5,
      execute: issuer.startsWith("http:") ? [oidc.allowInsecureRequests] : [],
    });
  }

  return async () => {
    if (kept?.expiresAt !== undefined && now() / 1000 < kept.expiresAt - marginSeconds)
      return { ...kept, source: "cached" };
    flight ??= obtain().finally(() => {
      flight = undefined;
    });
    return flight;
  };
}

/** What the provider refuses is our set-up; what it does not answer, an outage. */
function failure(cause: unknown, label: string): HttpError {
  if (cause instanceof oidc.ResponseBodyError && cause.status < 500 && cause.status !== 429) {
    const message = `${label} does not let this service call Voicebox without a user. Send a user's token, or tell the administrator.`;
    return new HttpError(502, "app_token_refused", message, { cause });
  }
  const message = `${label} cannot be reached at the moment. Try again in a few seconds.`;
  return new HttpError(503, "provider_unavailable", message, { cause, retryAfterSeconds: 5 });
}
