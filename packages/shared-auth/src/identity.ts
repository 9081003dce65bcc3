import { type CheckedClaims, invalid } from "./claims.ts";
import { isRecord } from "./compact.ts";
import type { ClaimMapping, DialectProfile } from "./dialects.ts";

/** One earlier party in a delegation (RFC 8693 section 4.1, `act`). Recorded, never a source of rights. */
export interface Actor {
  readonly subject: string;
  readonly issuer: string | undefined;
}

/**
 * Whether the token named the caller's groups: `listed` (perhaps none), `absent` (the claim is not there), `overage`
 * (the provider left them out because there are too many), `malformed` (neither a list of strings nor, where the
 * issuer's options allow it, one string). Only `listed` says which groups the caller is in.
 */
export type GroupsState = "listed" | "absent" | "overage" | "malformed";

/**
 * Who a verified token speaks for. A person is `issuer` + `subject`, never an e-mail address or a name: those are
 * attributes, for showing and recording.
 */
export interface Identity {
  readonly issuer: string;
  readonly subject: string;
  readonly audience: readonly string[];
  /** The client the token was issued to: `client_id`, `azp`, `cid` or `appid`, by the issuer's dialect. */
  readonly clientId: string | undefined;
  /** `app`: the token speaks for an application and no user, as the issuer's dialect tells them apart. */
  readonly kind: "user" | "app";
  readonly scopes: readonly string[];
  readonly groups: readonly string[];
  /** Why `groups` may be empty. */
  readonly groupsState: GroupsState;
  /** True when the provider left the groups out because there were too many: unknown, not none. */
  readonly groupsOverage: boolean;
  readonly roles: readonly string[];
  readonly email: string | undefined;
  readonly name: string | undefined;
  /** The `act` chain, the nearest actor first. */
  readonly actors: readonly Actor[];
  readonly tokenId: string | undefined;
  /** Seconds since the epoch. */
  readonly issuedAt: number | undefined;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
  /** Every claim of the token, frozen. */
  readonly claims: Readonly<Record<string, unknown>>;
}

type Claims = Readonly<Record<string, unknown>>;

/** How to read an issuer's claims. */
export interface Reading {
  readonly issuer: string;
  readonly mapping: ClaimMapping;
  readonly dialect: Pick<DialectProfile, "isApp">;
  /** Some servers write a single group as a plain string; read it as one group, never split. */
  readonly groupsMayBeString: boolean;
}

/** Delegations deeper than this are no delegations a person set up; Auth0 stops at 5. */
const MAX_ACTORS = 10;

/**
 * Reads who the token speaks for out of claims that were checked before. Pure; the result is frozen, because several
 * callers share it.
 * @throws AuthError `claim_invalid`
 */
export function readIdentity(claims: Claims, checked: CheckedClaims, reading: Reading): Identity {
  const { mapping } = reading;
  deepFreeze(claims);
  const clientId = optionalString(claims, mapping.client);
  const groups = readGroups(claims, reading);
  return Object.freeze({
    issuer: reading.issuer,
    subject: checked.subject,
    audience: checked.audience,
    clientId,
    kind: checked.subject === clientId || reading.dialect.isApp(claims) ? "app" : "user",
    scopes: readScopes(claims, mapping.scope),
    groups: groups.names,
    groupsState: groups.state,
    groupsOverage: groups.state === "overage",
    roles: stringList(find(claims, mapping.roles)) ?? NONE,
    email: attribute(claims, mapping.email),
    name: attribute(claims, mapping.name),
    actors: readActors(claims.act),
    tokenId: checked.tokenId,
    issuedAt: checked.issuedAt,
    expiresAt: checked.expiresAt,
    claims,
  });
}

const NONE: readonly string[] = Object.freeze([]);

/** `scp` list (Okta), `scp` string (Entra), `scope` string (RFC 9068 section 2.2.3): all the same to us. */
export function splitScopes(value: unknown): readonly string[] | undefined {
  if (typeof value === "string") return Object.freeze(value.split(" ").filter((scope) => scope !== ""));
  return stringList(value);
}

function readScopes(claims: Claims, paths: readonly string[]): readonly string[] {
  const value = find(claims, paths);
  if (value === undefined) return NONE;
  const scopes = splitScopes(value);
  if (scopes === undefined) throw invalid(paths[0] ?? "scope", "must be a string or a list of strings");
  return scopes;
}

function readGroups(claims: Claims, { mapping, groupsMayBeString }: Reading) {
  const value = find(claims, mapping.groups);
  if (value === undefined) return { names: NONE, state: isOverage(claims) ? "overage" : "absent" } as const;
  const names = groupsMayBeString && typeof value === "string" ? Object.freeze([value]) : stringList(value);
  return names === undefined ? ({ names: NONE, state: "malformed" } as const) : ({ names, state: "listed" } as const);
}

/** Entra's two ways to say "too many groups to list": a pointer to Graph, or a bare mark in implicit flows. */
function isOverage(claims: Claims): boolean {
  const pointers = claims._claim_names;
  return (
    (isRecord(pointers) && Object.hasOwn(pointers, "groups")) ||
    claims.hasgroups === true ||
    claims.hasgroups === "true"
  );
}

function readActors(act: unknown): readonly Actor[] {
  const actors: Actor[] = [];
  for (let current = act; current !== undefined; current = (current as Claims).act) {
    if (!isRecord(current) || actors.length === MAX_ACTORS) throw invalid("act", "is not a readable chain of actors");
    const subject = current.sub ?? current.client_id ?? current.azp;
    if (typeof subject !== "string" || subject === "") throw invalid("act", "must name each actor by sub");
    actors.push(Object.freeze({ subject, issuer: typeof current.iss === "string" ? current.iss : undefined }));
  }
  return Object.freeze(actors);
}

/** An attribute is for showing: one of an odd type is left out rather than refused. */
function attribute(claims: Claims, paths: readonly string[]): string | undefined {
  const value = find(claims, paths);
  return typeof value === "string" && value !== "" ? value : undefined;
}

function optionalString(claims: Claims, paths: readonly string[]): string | undefined {
  const value = find(claims, paths);
  if (value === undefined || (typeof value === "string" && value !== "")) return value;
  throw invalid(paths[0] ?? "client_id", "must be a non-empty string");
}

function stringList(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value) || !value.every((one) => typeof one === "string")) return undefined;
  // The claims are frozen already, and with them this list.
  return value;
}

function find(claims: Claims, paths: readonly string[]): unknown {
  for (const path of paths) {
    const value = at(claims, path);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** A claim of exactly that name first, since names may hold dots (`https://example.com/groups`); else a path. */
function at(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  if (!path.includes(".")) return undefined;
  let value: unknown = claims;
  for (const step of path.split(".")) {
    if (!isRecord(value) || !Object.hasOwn(value, step)) return undefined;
    value = value[step];
  }
  return value;
}

/** Not recursive: claims may be nested as deep as a token is long. */
function deepFreeze(claims: Claims): void {
  const open: object[] = [claims];
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    for (const value of Object.values(one)) if (typeof value === "object" && value !== null) open.push(value);
    Object.freeze(one);
  }
}
