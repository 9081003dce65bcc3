import type { ShapeToken } from "./dialect.ts";

/** A custom authorization server of Okta: `scp` is a list, `cid` the client, `uid` Okta's key of the user. */
export const oktaToken: ShapeToken = (facts) => ({
  header: { typ: "at+jwt" },
  payload: {
    ver: 1,
    jti: facts.jti,
    iss: facts.issuer,
    aud: facts.audience,
    sub: facts.subject,
    iat: facts.issuedAt,
    exp: facts.expiresAt,
    cid: facts.clientId,
    scp: [...facts.scopes],
    ...(facts.user && {
      uid: facts.user.uid,
      email: facts.user.email,
      name: facts.user.name,
      groups: [...facts.user.groups],
    }),
  },
});
