import type { ExchangeRule } from "../definitions.ts";
import type { ExchangeFacts } from "../dialects/dialect.ts";
import { errors } from "../library.ts";

/**
 * The rules of this client that fit the subject token: its issuer, and whom it is for.
 * @throws the given refusal when none does
 */
export function rulesForSubject({ rules, subject }: ExchangeFacts, refuse: (why: string) => Error): ExchangeRule[] {
  const fitting = rules.filter(
    ({ from, subjectAudience }) => from.includes(subject.issuerName) && subject.audiences.includes(subjectAudience),
  );
  if (fitting.length > 0) return fitting;
  const audiences = [...new Set(rules.map((rule) => rule.subjectAudience))].join(", ");
  const issuers = [...new Set(rules.flatMap((rule) => rule.from))].join(", ");
  const has = `the subject token is for [${subject.audiences.join(", ")}] of issuer ${subject.issuerName}`;
  throw refuse(`${has}; this client exchanges tokens for [${audiences}] of [${issuers}]`);
}

/**
 * One audience, the one asked for or the only one there is, and scopes of its rule: what most providers do.
 * @throws InvalidTarget, InvalidScope (RFC 8693, section 2.2.2), or CustomOIDCProviderError invalid_grant
 */
export function decideOne(facts: ExchangeFacts): { audience: string; scopes: readonly string[] } {
  const { request } = facts;
  const fitting = rulesForSubject(facts, (why) => new errors.CustomOIDCProviderError("invalid_grant", why));
  if (request.audiences.length > 1) throw new errors.InvalidTarget("only one audience can be asked for");
  const asked = request.audiences[0];
  const rule = fitting.find(({ audience }) => asked === undefined || audience === asked);
  if (rule === undefined)
    throw new errors.InvalidTarget(`this client may not ask for audience ${JSON.stringify(asked)}`);
  return { audience: rule.audience, scopes: allowedScopes(rule, request.scopes) };
}

/** @throws InvalidScope naming those that the rule does not have */
export function allowedScopes(rule: ExchangeRule, asked: readonly string[]): readonly string[] {
  const refused = asked.filter((scope) => !rule.scopes.includes(scope));
  if (refused.length > 0) {
    throw new errors.InvalidScope("this client may not ask for these scopes", refused.join(" "));
  }
  return asked.length === 0 ? rule.scopes : asked;
}
