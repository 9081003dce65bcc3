import type { User } from "./definitions.ts";

/** What a token says of a user besides `sub`. */
export interface UserClaims {
  readonly email: string;
  readonly name: string;
  readonly groups: readonly string[];
  readonly uid: string;
  readonly oid: string;
}

/** Claims an access token carries, whatever its scopes: what Okta's administrators configure as "always". */
export function accessTokenClaims({ email, name, groups, uid, oid }: User): UserClaims {
  return { email, name, groups, uid, oid };
}

/** Claims for ID tokens and userinfo; the library leaves out what the scopes do not cover. */
export function profileClaims(user: User): Record<string, unknown> & { sub: string } {
  return {
    sub: user.sub,
    name: user.name,
    given_name: user.given_name,
    family_name: user.family_name,
    preferred_username: user.sub,
    email: user.email,
    email_verified: true,
    groups: [...user.groups],
  };
}

/** Which scope covers which of those claims (OpenID Connect Core, section 5.4; `groups` as in Okta). */
export const claimsByScope: Record<string, string[]> = {
  openid: ["sub", "acr", "amr", "auth_time"],
  profile: ["name", "given_name", "family_name", "preferred_username"],
  email: ["email", "email_verified"],
  groups: ["groups"],
};
