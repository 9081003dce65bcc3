import type { User } from "../definitions.ts";
import { noActor } from "../exchange/request.ts";
import { tokenTypes } from "../grant-types.ts";
import { errors } from "../library.ts";
import type { Dialect, ExchangeDialect, ExchangeFacts, Granted, TokenFacts } from "./dialect.ts";

const rolesClaim = "urn:zitadel:iam:org:project:roles";

const token = (facts: TokenFacts) => ({
  header: { typ: "at+jwt" },
  payload: {
    iss: facts.issuer,
    sub: facts.subject,
    aud: [...facts.audiences],
    exp: facts.expiresAt,
    iat: facts.issuedAt,
    nbf: facts.issuedAt,
    jti: facts.jti,
    client_id: facts.clientId,
    scope: facts.scopes.join(" "),
    ...(facts.user && {
      email: facts.user.email,
      name: facts.user.name,
      preferred_username: facts.user.username,
      groups: [...facts.user.groups],
      [rolesClaim]: Object.fromEntries(facts.user.groups.map((group) => [group, { onbehalf: "onbehalf.localhost" }])),
    }),
    ...(facts.acr && { acr: facts.acr }),
  },
});

/** `access_token` asks for an opaque token, `jwt` for one the next hop can read; audiences shrink, scopes may grow. */
const exchange: ExchangeDialect = {
  takes: ["opaque", "id_token"],
  accept: (request) => {
    noActor(request);
    if (request.resources.length > 0) throw new errors.InvalidTarget("resource parameter not supported");
    if (request.subjectType !== tokenTypes.accessToken && request.subjectType !== tokenTypes.idToken) {
      throw new errors.InvalidRequest("subject_token_type is not supported");
    }
    const { requestedType } = request;
    const types: readonly string[] = [tokenTypes.accessToken, tokenTypes.jwt];
    if (requestedType !== undefined && !types.includes(requestedType)) {
      throw new errors.InvalidRequest("requested_token_type is not supported");
    }
  },
  subjectRefused: ({ message }) => new errors.InvalidRequest(message),
  decide,
};

function decide({ request, subject, rules }: ExchangeFacts): Granted {
  const unknown = request.audiences.filter((audience) => !subject.audiences.includes(audience));
  if (unknown.length > 0)
    throw new errors.InvalidTarget(`audience ${JSON.stringify(unknown[0])} not found in subject token`);
  const [first = "", ...more] = request.audiences.length > 0 ? request.audiences : subject.audiences;
  const offered = ["openid", "profile", "email", "groups", ...subject.scopes, ...rules.flatMap(({ scopes }) => scopes)];
  const scopes =
    request.scopes.length === 0 ? subject.scopes : request.scopes.filter((scope) => offered.includes(scope));
  const issuedType = request.requestedType ?? tokenTypes.accessToken;
  return { audiences: [first, ...more], scopes, issuedType, opaque: issuedType === tokenTypes.accessToken };
}

/** Zitadel's ids are long decimal numbers. */
const subjectOf = ({ oid }: User): string => BigInt(`0x${oid.replaceAll("-", "").slice(0, 15)}`).toString();

export const zitadel: Dialect = { subjectOf, token, exchange };
