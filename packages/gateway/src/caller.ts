import type { Actor, GroupsState } from "@onbehalf/shared-auth";
import type { LimitRule } from "./limits/limits.ts";

/** What a caller may do at all, before groups and models are looked at. LiteLLM's roles under short names. */
export type Role = "admin" | "standard" | "viewer" | "team" | "customer";

/** What a virtual key was given when it was made. */
interface KeyGrant {
  /** Public name of the key; neither the key nor its hash. */
  readonly id: string;
  /** Those it took over from, the oldest first. */
  readonly former: readonly string[];
  readonly alias: string | undefined;
  /** Model patterns; empty: whatever the maker may call. */
  readonly models: readonly string[];
  /** Route patterns; empty: the default routes. */
  readonly routes: readonly string[];
  /** True when an administrator made the key: what it says is its right, no group is asked for. */
  readonly explicit: boolean;
  readonly limits: LimitRule;
}

/** Whoever the request is made for, by whichever credential. Identity is `issuer` + `subject`; the rest are attributes. */
export interface Caller {
  readonly credential: "jwt" | "virtual-key" | "master-key";
  readonly issuer: string;
  readonly subject: string;
  readonly kind: "user" | "app";
  /** The mapped claim: shown, recorded, never an identity. */
  readonly userId: string;
  readonly email: string | undefined;
  readonly name: string | undefined;
  readonly teamId: string | undefined;
  readonly clientId: string | undefined;
  readonly role: Role;
  readonly groups: readonly string[];
  /** Why a token's groups may be empty; keys and the master key are `listed`. */
  readonly groupsState: GroupsState;
  readonly audience: readonly string[];
  readonly scopes: readonly string[];
  readonly actors: readonly Actor[];
  /** Seconds since the epoch. */
  readonly expiresAt: number | undefined;
  /** The verified token, only for an upstream that exchanges it further. */
  readonly token: string | undefined;
  readonly key: KeyGrant | undefined;
}

/** The issuer of callers that no identity provider vouches for: the master key, and keys made for no known user. */
export const localIssuer = "urn:onbehalf:gateway";

/** Who administers from here and comes with no token: the master key, or a person at the command line. */
export function localAdministrator(subject: string): Caller {
  return {
    credential: "master-key",
    issuer: localIssuer,
    subject,
    kind: "app",
    userId: subject,
    email: undefined,
    name: undefined,
    teamId: undefined,
    clientId: undefined,
    role: "admin",
    groups: [],
    groupsState: "listed",
    audience: [],
    scopes: [],
    actors: [],
    expiresAt: undefined,
    token: undefined,
    key: undefined,
  };
}
