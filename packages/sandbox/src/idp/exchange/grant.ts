import type { Provider, TokenEndpointGrantContext } from "oidc-provider";
import { resourceOf, resourceServer } from "../audiences.ts";
import type { UserClaims } from "../claims.ts";
import type { IssuerDefinition } from "../definitions.ts";
import { grantTypes, tokenTypes } from "../grant-types.ts";
import { errors } from "../library.ts";
import { decideExchange } from "./decide.ts";
import { type TrustedIssuer, verifySubject } from "./subject.ts";

export interface ExchangeSetting {
  readonly definition: IssuerDefinition;
  readonly trusted: () => readonly TrustedIssuer[];
  readonly accessTokenSeconds: () => number;
  /** Called before the token is written, so that it speaks of the subject token's user. */
  readonly speaksOf: (token: object, user: UserClaims) => void;
}

type Parameters = Partial<Record<(typeof parameters)[number], string | string[]>>;

const parameters = [
  "subject_token",
  "subject_token_type",
  "requested_token_type",
  "actor_token",
  "actor_token_type",
  "scope",
  "audience",
  "resource",
] as const;

/** Teaches a provider the token exchange grant (RFC 8693). */
export function registerTokenExchange(provider: Provider, setting: ExchangeSetting): void {
  const exchange = (ctx: TokenEndpointGrantContext<Parameters>) => answer(provider, setting, ctx);
  provider.registerGrantType<Parameters>(grantTypes.tokenExchange, exchange, parameters, ["audience", "resource"]);
}

async function answer(provider: Provider, setting: ExchangeSetting, ctx: TokenEndpointGrantContext<Parameters>) {
  const { client, params } = ctx.oidc;
  const rules = setting.definition.clients[client.clientId]?.exchanges ?? [];
  if (rules.length === 0) throw new errors.UnauthorizedClient("this client may not exchange tokens");

  const request = readRequest(params);
  const subject = await verifySubject(request.subjectToken, setting.trusted());
  const granted = decideExchange(rules, subject, request);

  const remaining = subject.expiresAt - Math.floor(Date.now() / 1000);
  const token = new provider.AccessToken({
    client,
    accountId: subject.subject,
    gty: "token_exchange",
    // An exchanged token hangs on no grant of the user: it dies by its own, short, expiry.
    grantId: "",
    scope: granted.scopes.join(" "),
    resourceServer: new provider.ResourceServer(
      resourceOf(granted.audience),
      resourceServer(setting.definition, granted.audience),
    ),
    expiresIn: Math.max(1, Math.min(setting.accessTokenSeconds(), remaining)),
  });
  setting.speaksOf(token, subject.user);
  ctx.oidc.entity("AccessToken", token);
  ctx.body = {
    access_token: await token.save(),
    issued_token_type: tokenTypes.accessToken,
    token_type: token.tokenType,
    expires_in: token.expiration,
    scope: granted.scopes.join(" "),
  };
}

interface ExchangeRequest {
  readonly subjectToken: string;
  readonly audience: string | undefined;
  readonly scopes: readonly string[];
}

function readRequest(params: Parameters): ExchangeRequest {
  const subjectToken = required(params, "subject_token");
  const subjectType = required(params, "subject_token_type");
  if (subjectType !== tokenTypes.accessToken) {
    throw new errors.InvalidRequest(`subject_token_type must be ${tokenTypes.accessToken}`);
  }
  const requested = params.requested_token_type;
  if (requested !== undefined && requested !== tokenTypes.accessToken) {
    throw new errors.InvalidRequest(`requested_token_type can only be ${tokenTypes.accessToken}`);
  }
  if (params.actor_token !== undefined || params.actor_token_type !== undefined) {
    throw new errors.InvalidRequest("actor tokens are not supported here");
  }
  if (params.resource !== undefined) {
    throw new errors.InvalidTarget("resource is not supported here; name the target by audience");
  }
  const audiences = [params.audience ?? []].flat();
  if (audiences.length > 1) throw new errors.InvalidTarget("only one audience can be asked for");
  const scopes = typeof params.scope === "string" ? params.scope.split(" ").filter(Boolean) : [];
  return { subjectToken, audience: audiences[0], scopes };
}

function required(params: Parameters, name: "subject_token" | "subject_token_type"): string {
  const value = params[name];
  if (typeof value !== "string" || value === "") throw new errors.InvalidRequest(`${name} is missing`);
  return value;
}
