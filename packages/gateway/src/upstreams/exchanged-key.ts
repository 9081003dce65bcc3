import { ConfigError, type ConfigProblem } from "@onbehalf/service-kit";
import { AuthError, type CachedExchange, cached } from "@onbehalf/shared-auth";
import { createExchange } from "@onbehalf/shared-auth/exchange";
import type { CallerTag } from "../call.ts";
import type { Deployment, TokenExchangeSettings } from "../deployments.ts";
import { GatewayError } from "../errors.ts";
import { type KeyOf, serverKey } from "./key.ts";

/**
 * Keys for OpenAI- and Anthropic-compatible upstreams: the gateway's own, or with `token_exchange` a token for that
 * upstream in the caller's name. The caller's own token goes to the authorization server and nowhere else.
 * @throws ConfigError naming each model whose exchange lacks something that its profile needs
 */
export function createKeys(deployments: readonly Deployment[]): KeyOf {
  const exchanges = new Map<TokenExchangeSettings, CachedExchange>();
  const problems: ConfigProblem[] = [];
  for (const { name, params } of deployments) {
    if (params.token_exchange === undefined) continue;
    try {
      exchanges.set(params.token_exchange, cached(createExchange(optionsOf(params.token_exchange))));
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      problems.push({ name: `model_list: ${name}: token_exchange`, problem: error.message });
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return (deployment, caller) => {
    const exchange =
      deployment.params.token_exchange === undefined ? undefined : exchanges.get(deployment.params.token_exchange);
    return exchange === undefined ? serverKey(deployment) : exchangedToken(exchange, caller);
  };
}

function optionsOf(settings: TokenExchangeSettings): Parameters<typeof createExchange>[0] {
  const { profile, issuer, token_endpoint, client_id, client_secret, private_key_file, audience, scopes } = settings;
  const clientAuth =
    private_key_file === undefined
      ? { method: "client_secret_basic" as const, secret: client_secret ?? "" }
      : { method: "private_key_jwt" as const, keyFile: private_key_file };
  return {
    profile,
    clientId: client_id,
    clientAuth,
    issuer:
      token_endpoint === undefined
        ? { discoveryUrl: `${issuer.replace(/\/+$/, "")}/.well-known/openid-configuration` }
        : { issuer, tokenEndpoint: token_endpoint },
    ...(audience === undefined ? {} : { audience }),
    ...(scopes === undefined ? {} : { scopes }),
  };
}

async function exchangedToken(exchange: CachedExchange, caller: CallerTag): Promise<string> {
  const { token, issuer, subject, expiresAt } = caller;
  if (token === undefined || expiresAt === undefined) {
    throw new GatewayError(
      "forbidden",
      "This model is called in the user's name, and a virtual key is nobody's. Sign in and send your token.",
    );
  }
  try {
    return (await exchange({ token, identity: { issuer, subject, expiresAt } })).accessToken;
  } catch (cause) {
    throw exchangeError(cause);
  }
}

/** Whose fault it is decides: the caller's token, our configuration, or a server that cannot be reached. */
function exchangeError(cause: unknown): GatewayError {
  if (!(cause instanceof AuthError)) throw cause;
  if (cause.code === "subject_rejected" || cause.code === "step_up_required") {
    return new GatewayError(
      "unauthenticated",
      "Your token was not accepted for this model's provider. Sign in again.",
      { cause },
    );
  }
  if (cause.code === "exchange_unavailable") {
    const retry = cause.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: cause.retryAfterSeconds };
    return new GatewayError(
      "auth_unavailable",
      "The authorization server for this model cannot be reached. Try again.",
      { cause, ...retry },
    );
  }
  return new GatewayError(
    "upstream_denied",
    "The gateway may not act for you at this model's provider. Tell its operator.",
    { cause },
  );
}
