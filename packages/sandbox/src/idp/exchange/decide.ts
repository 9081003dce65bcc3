import type { ExchangeRule } from "../definitions.ts";
import { errors } from "../library.ts";
import type { SubjectToken } from "./subject.ts";

/** What a client asks for in an exchange; absent fields are those it left out. */
export interface Wanted {
  readonly audience: string | undefined;
  readonly scopes: readonly string[];
}

/** What the issued token will be for. */
export interface Granted {
  readonly audience: string;
  readonly scopes: readonly string[];
}

/**
 * May this client turn this user's token into the one it wants? Pure: no clock, no I/O.
 * @throws UnauthorizedClient, InvalidTarget, InvalidScope, or CustomOIDCProviderError invalid_grant (RFC 8693, section 2.2.2)
 */
export function decideExchange(rules: readonly ExchangeRule[], subject: SubjectToken, wanted: Wanted): Granted {
  if (rules.length === 0) throw new errors.UnauthorizedClient("this client may not exchange tokens");

  const forSubject = rules.filter(
    (rule) => rule.from.includes(subject.issuerName) && subject.audiences.includes(rule.subjectAudience),
  );
  if (forSubject.length === 0) {
    const allowed = [...new Set(rules.map((rule) => rule.subjectAudience))].join(", ");
    const reason = `the subject token is for [${subject.audiences.join(", ")}] of issuer ${subject.issuerName}; this client exchanges tokens for [${allowed}] of [${[...new Set(rules.flatMap((rule) => rule.from))].join(", ")}]`;
    throw new errors.CustomOIDCProviderError("invalid_grant", reason);
  }

  const forTarget = forSubject.filter((rule) => wanted.audience === undefined || rule.audience === wanted.audience);
  const rule = forTarget[0];
  if (rule === undefined) {
    throw new errors.InvalidTarget(`this client may not ask for audience ${JSON.stringify(wanted.audience)}`);
  }

  const refused = wanted.scopes.filter((scope) => !rule.scopes.includes(scope));
  if (refused.length > 0) {
    throw new errors.InvalidScope(`this client may not ask for these scopes`, refused.join(" "));
  }
  return { audience: rule.audience, scopes: wanted.scopes.length === 0 ? rule.scopes : wanted.scopes };
}
