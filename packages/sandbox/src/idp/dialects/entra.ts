import { createHash } from "node:crypto";
import type { Dialect, ShapedToken, TokenFacts } from "./dialect.ts";

/** The one tenant there is. */
const tenantId = "7e4a47e0-0000-4000-8000-00000000a11c";
/** Above so many groups a token carries none, but says where to ask for them. */
const maxGroups = 200;

/** Entra's `sub` is another one for each application; `oid` is the user's. */
const pairwise = (key: string, audience: string): string =>
  createHash("sha256").update(`${key} ${audience}`).digest("base64url");

function shape(facts: TokenFacts, version: 1 | 2): ShapedToken {
  const { user } = facts;
  const application = facts.audiences[0] ?? "";
  const common = {
    aud: version === 2 ? application : `api://${application}`,
    iss: facts.issuer,
    iat: facts.issuedAt,
    nbf: facts.issuedAt,
    exp: facts.expiresAt,
    ...(facts.acr && { acrs: [facts.acr] }),
    ...(version === 2
      ? { azp: facts.clientId, azpacr: "1" }
      : { appid: facts.clientId, appidacr: "1", idp: facts.issuer }),
    sub: pairwise(user?.oid ?? facts.subject, application),
    tid: tenantId,
    uti: facts.jti,
    ver: `${version}.0`,
  };
  if (user === undefined) {
    // An application's own token has roles and no scp.
    return {
      header: { typ: "JWT" },
      payload: { ...common, oid: pairwise(facts.clientId, "service principal"), roles: [], idtyp: "app" },
    };
  }
  const names = version === 2 ? { preferred_username: user.email } : { upn: user.email, unique_name: user.email };
  return {
    header: { typ: "JWT" },
    payload: {
      ...common,
      oid: user.oid,
      name: user.name,
      email: user.email,
      ...names,
      scp: shortScopes(facts),
      ...groupsOf(user),
    },
  };
}

/** `scp` has the API's own scopes, separated by spaces, and none of OpenID Connect's. */
function shortScopes({ scopes }: TokenFacts): string {
  return scopes
    .filter((scope) => !["openid", "profile", "email", "groups", "offline_access"].includes(scope))
    .join(" ");
}

function groupsOf({
  groups,
  oid,
}: {
  readonly groups: readonly string[];
  readonly oid: string;
}): Record<string, unknown> {
  if (groups.length <= maxGroups) return { groups: [...groups] };
  const endpoint = `https://graph.microsoft.com/v1.0/users/${oid}/getMemberObjects`;
  return { _claim_names: { groups: "src1" }, _claim_sources: { src1: { endpoint } } };
}

const dialectOf = (version: 1 | 2): Dialect => ({
  subjectOf: ({ oid }) => pairwise(oid, "sign-in"),
  token: (facts) => shape(facts, version),
  profileClaims: ["oid", "tid", "groups"],
  profileOf: (user) => ({ tid: tenantId, groups: undefined, ...groupsOf(user) }),
  onBehalfOf: true,
  errorBody: withCodes,
});

export const entra = dialectOf(2);
export const entraV1 = dialectOf(1);

/** Codes for refusals that the library words itself. */
const codes: Readonly<Record<string, number>> = {
  invalid_client: 7000215,
  unsupported_grant_type: 70003,
  invalid_scope: 70011,
  invalid_request: 900144,
  authorization_pending: 70016,
  expired_token: 70019,
};

/** Entra's error document: the number is in the text and in `error_codes`. */
function withCodes(body: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const text = String(body.error_description ?? "");
  const code = Number(/^AADSTS(\d+):/.exec(text)?.[1] ?? codes[String(body.error)] ?? 50000);
  const timestamp = `${new Date().toISOString().slice(0, 19).replace("T", " ")}Z`;
  const [trace_id, correlation_id] = [crypto.randomUUID(), crypto.randomUUID()];
  const words = text.startsWith("AADSTS") ? text : `AADSTS${code}: ${text}`;
  return {
    ...body,
    error_description: `${words} Trace ID: ${trace_id} Correlation ID: ${correlation_id} Timestamp: ${timestamp}`,
    error_codes: [code],
    timestamp,
    trace_id,
    correlation_id,
    error_uri: `https://login.microsoftonline.com/error?code=${code}`,
  };
}
