import type { User } from "./definitions.ts";

/** What a token says of a user besides `sub`. */
export interface UserClaims {
  readonly username: string;
  readonly email: string;
  readonly name: string;
  readonly given_name: string;
  readonly family_name: string;
  readonly groups: readonly string[];
  readonly uid: string;
  readonly oid: string;
}

/** Who acts for the user (RFC 8693, section 4.1); nested, the latest outermost. */
export interface Actor {
  readonly sub: string;
  readonly act?: Actor | undefined;
}

/** What travels with a token inside the provider, whatever shape it is given. */
export interface Carried {
  readonly user?: UserClaims | undefined;
  readonly acr?: string | undefined;
  readonly actor?: Actor | undefined;
}

/** Claims an access token carries, whatever its scopes: what Okta's administrators configure as "always". */
export function accessTokenClaims(user: User): UserClaims {
  const { sub: username, email, name, given_name, family_name, groups, uid, oid } = user;
  return { username, email, name, given_name, family_name, groups, uid, oid };
}

/** Claims for ID tokens and userinfo; the library leaves out what the scopes do not cover. */
export function profileClaims(user: User, subject: string): Record<string, unknown> & { sub: string } {
  return {
    sub: subject,
    name: user.name,
    given_name: user.given_name,
    family_name: user.family_name,
    preferred_username: user.sub,
    email: user.email,
    email_verified: true,
    groups: [...user.groups],
    oid: user.oid,
  };
}

export const profileScopeClaims = ["name", "given_name", "family_name", "preferred_username"];

/** Which scope covers which of those claims (OpenID Connect Core, section 5.4; `groups` as in Okta). */
export const claimsByScope: Record<string, string[]> = {
  openid: ["sub", "acr", "amr", "auth_time"],
  profile: profileScopeClaims,
  email: ["email", "email_verified"],
  groups: ["groups"],
};

/** How deep actors nest. */
export function depthOf(actor: Actor | undefined): number {
  return actor === undefined ? 0 : 1 + depthOf(actor.act);
}
