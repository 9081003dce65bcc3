import type { Provider, TokenEndpointGrantContext } from "oidc-provider";
import { profileClaims } from "../claims.ts";
import type { ClientDefinition } from "../definitions.ts";
import type { ExchangeDialect, ExchangeFacts, Granted } from "../dialects/dialect.ts";
import { grantTypes, tokenTypes } from "../grant-types.ts";
import { errors } from "../library.ts";
import { standardChallenge } from "../step-up.ts";
import { answerAssertion } from "./id-jag.ts";
import { type GrantSetting, issueFor } from "./issue.ts";
import { type ExchangeParameters, type ExchangeRequest, exchangeParameters, readRequest } from "./request.ts";
import { SubjectProblem, type SubjectToken, verifyAccessToken, verifyIdToken } from "./subject.ts";

type Context = TokenEndpointGrantContext<ExchangeParameters>;

/** Teaches a provider the token exchange grant (RFC 8693), in the way of its dialect. */
export function registerTokenExchange(provider: Provider, setting: GrantSetting): void {
  const { exchange } = setting.dialect;
  if (exchange === undefined) return;
  provider.registerGrantType<ExchangeParameters>(
    grantTypes.tokenExchange,
    (ctx) => answer(provider, setting, exchange, ctx),
    exchangeParameters,
    ["audience", "resource"],
  );
}

async function answer(provider: Provider, setting: GrantSetting, dialect: ExchangeDialect, ctx: Context) {
  const { client, params } = ctx.oidc;
  const definition = setting.definition.clients[client.clientId];
  if (definition === undefined) throw mayNot();
  const request = readRequest(params);
  if (request.requestedType === tokenTypes.idJag) {
    ctx.body = await answerAssertion(setting, ctx, definition, request);
    return;
  }
  if (definition.exchanges.length === 0) throw mayNot();
  dialect.accept(request);
  const facts = await readTokens(setting, dialect, client.clientId, definition, request);
  setting.stepUp.check(ctx, facts.subject, standardChallenge);
  const granted = dialect.decide(facts);
  ctx.body = await issue(provider, setting, dialect, ctx, facts, granted);
}

const mayNot = (): Error => new errors.UnauthorizedClient("this client may not exchange tokens");

async function readTokens(
  setting: GrantSetting,
  dialect: ExchangeDialect,
  clientId: string,
  { exchanges }: ClientDefinition,
  request: ExchangeRequest,
): Promise<ExchangeFacts> {
  const { takes = [] } = dialect;
  const trusted = await setting.trusted();
  const opaque = takes.includes("opaque");
  try {
    const subject =
      request.subjectType === tokenTypes.idToken && takes.includes("id_token")
        ? await verifyIdToken(request.subjectToken, trusted, clientId)
        : await verifyAccessToken(request.subjectToken, trusted, opaque);
    const actor =
      request.actorToken === undefined ? undefined : await verifyAccessToken(request.actorToken, trusted, opaque);
    return { clientId, rules: exchanges, request, subject, actor };
  } catch (error) {
    throw error instanceof SubjectProblem ? dialect.subjectRefused(error) : error;
  }
}

async function issue(
  provider: Provider,
  setting: GrantSetting,
  dialect: ExchangeDialect,
  ctx: Context,
  facts: ExchangeFacts,
  granted: Granted,
): Promise<Record<string, unknown>> {
  const { subject } = facts;
  const scope = granted.scopes.join(" ");
  const common = { issued_token_type: granted.issuedType, scope, ...dialect.answer?.(granted, facts) };
  if (granted.issuedType === tokenTypes.idToken) {
    return { ...common, access_token: await idTokenFor(provider, ctx, subject), token_type: "N_A" };
  }
  const token = await issueFor(provider, ctx, setting, {
    subject: subject.subject,
    audiences: granted.audiences,
    scopes: granted.scopes,
    notAfter: subject.expiresAt,
    carried: { user: subject.user, acr: subject.acr, actor: granted.actor },
    ...(granted.opaque === undefined ? {} : { opaque: granted.opaque }),
  });
  return { access_token: token.value, token_type: token.tokenType, expires_in: token.expiresIn, ...common };
}

/** An ID token in the place of an access token (RFC 8693, section 2.2.1). */
async function idTokenFor(provider: Provider, ctx: Context, { subject, user }: SubjectToken): Promise<string> {
  const { username, ...rest } = user;
  const claims = profileClaims({ ...rest, sub: username, title: "", groups: [...user.groups] }, subject);
  const token = new provider.IdToken({ ...claims }, { ctx });
  Object.assign(token, { scope: "openid profile email groups" });
  return await token.issue({ use: "idtoken" });
}
