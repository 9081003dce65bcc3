import type { Provider, TokenEndpointGrantContext } from "oidc-provider";
import type { ExchangeRule } from "../definitions.ts";
import { grantTypes } from "../grant-types.ts";
import { errors } from "../library.ts";
import { entraChallenge } from "../step-up.ts";
import { type GrantSetting, issueFor } from "./issue.ts";
import { SubjectProblem, type SubjectToken, verifyAccessToken } from "./subject.ts";

type Parameters = { assertion?: string; scope?: string; requested_token_use?: string };

const refuse = (error: string, code: number, words: string): Error =>
  new errors.CustomOIDCProviderError(error, `AADSTS${code}: ${words}`);

/** Teaches a provider Microsoft Entra's on-behalf-of grant: the token goes in as an assertion, the scope names the target. */
export function registerOnBehalfOf(provider: Provider, setting: GrantSetting): void {
  if (setting.dialect.onBehalfOf !== true) return;
  provider.registerGrantType<Parameters>(grantTypes.jwtBearer, (ctx) => answer(provider, setting, ctx), [
    "assertion",
    "scope",
    "requested_token_use",
  ]);
}

async function answer(provider: Provider, setting: GrantSetting, ctx: TokenEndpointGrantContext<Parameters>) {
  const { client, params } = ctx.oidc;
  if (params.assertion === undefined) throw missing("assertion");
  if (params.scope === undefined) throw missing("scope");
  if (params.requested_token_use !== "on_behalf_of") {
    throw refuse("invalid_request", 90019, "requested_token_use must be on_behalf_of.");
  }
  const subject = await readAssertion(params.assertion, setting);
  if (!subject.audiences.includes(client.clientId)) {
    throw refuse("invalid_grant", 500131, "Assertion audience does not match the Client app presenting the assertion.");
  }
  setting.stepUp.check(ctx, subject, entraChallenge);
  const rules = setting.definition.clients[client.clientId]?.exchanges ?? [];
  const { rule, scopes } = target(params.scope, rules, Object.keys(setting.definition.audiences));
  const token = await issueFor(provider, ctx, setting, {
    subject: subject.subject,
    audiences: [rule.audience],
    scopes,
    notAfter: subject.expiresAt,
    carried: { user: subject.user, acr: subject.acr },
  });
  ctx.body = {
    token_type: token.tokenType,
    scope: scopes.map((scope) => `api://${rule.audience}/${scope}`).join(" "),
    expires_in: token.expiresIn,
    ext_expires_in: token.expiresIn,
    access_token: token.value,
  };
}

const missing = (name: string): Error =>
  refuse("invalid_request", 900144, `The request body must contain the following parameter: '${name}'.`);

async function readAssertion(assertion: string, { trusted }: GrantSetting): Promise<SubjectToken> {
  const [own] = await trusted();
  try {
    // No other issuer's tokens: the tenant issues and takes its own.
    return await verifyAccessToken(assertion, [own], false);
  } catch (error) {
    throw error instanceof SubjectProblem ? asEntraSays(error) : error;
  }
}

function asEntraSays({ kind, message }: SubjectProblem): Error {
  switch (kind) {
    case "malformed":
      return refuse("invalid_request", 50027, "JWT token is invalid or malformed.");
    case "untrusted":
    case "forged":
      return refuse("invalid_grant", 50013, "Assertion failed signature validation.");
    case "expired":
      return refuse("invalid_grant", 500133, "Assertion is not within its valid time range.");
    case "revoked":
      return refuse("invalid_grant", 50173, "The provided grant has expired due to it being revoked.");
    case "of_no_user":
      return refuse("invalid_grant", 7000114, `Application is not allowed to make on-behalf-of calls: ${message}.`);
  }
}

/** `api://voicebox/.default` stands for every scope the client has at that application; all must be of one. */
function target(scope: string, rules: readonly ExchangeRule[], known: readonly string[]) {
  const asked = scope.split(" ").filter((one) => !["", "openid", "profile", "email", "offline_access"].includes(one));
  const parts = asked.map((one) => /^api:\/\/([^/]+)\/(.+)$/.exec(one));
  const audience = parts[0]?.[1];
  if (audience === undefined || parts.some((part) => part?.[1] !== audience)) {
    throw refuse("invalid_scope", 70011, "The scope must name one application, as in api://voicebox/.default.");
  }
  if (!known.includes(audience)) {
    throw refuse(
      "invalid_resource",
      500011,
      `The resource principal named api://${audience} was not found in the tenant.`,
    );
  }
  const rule = rules.find((one) => one.audience === audience);
  const names = parts.map((part) => part?.[2] ?? "");
  const isDefault = names.includes(".default");
  if (rule === undefined || (!isDefault && names.some((name) => !rule.scopes.includes(name)))) {
    throw refuse("invalid_grant", 65001, "The user or administrator has not consented to use the application.");
  }
  if (isDefault && names.length > 1) {
    throw refuse("invalid_scope", 70011, ".default cannot be combined with other scopes of the application.");
  }
  return { rule, scopes: isDefault ? rule.scopes : names };
}
