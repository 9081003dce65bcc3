import type { Caller } from "../caller.ts";
import { GatewayError } from "../errors.ts";
import { ruleOfKey, stricter } from "../limits/limits.ts";
import { outlives } from "./expiry.ts";
import { grantOf } from "./grant.ts";
import { durationMs, type KeyFields } from "./key-request.ts";
import type { KeyFilter, KeyOwner, KeyStore } from "./key-store.ts";
import { type HashKey, hintOf, newKey, type VirtualKey } from "./virtual-key.ts";
import { type Maker, requireNotLoosened, requireWithin, unbounded } from "./within.ts";

/** Who asks, and under which policy and limits. */
export type Actor = Maker;

/** The one moment at which a key is seen. */
export interface MadeKey {
  readonly key: string;
  readonly made: VirtualKey;
}

/** What can be done with keys, over HTTP and from the command line alike. Each throws GatewayError. */
export interface KeyAdmin {
  generate(actor: Actor, fields: KeyFields): Promise<MadeKey>;
  update(actor: Actor, named: string, fields: KeyFields): Promise<VirtualKey>;
  /** A new key with the old one's rights; the old one works for `gracePeriod` more. */
  regenerate(actor: Actor, named: string, gracePeriod: string): Promise<MadeKey & { readonly replaced: VirtualKey }>;
  setBlocked(actor: Actor, named: string, blocked: boolean): Promise<VirtualKey>;
  delete(actor: Actor, named: readonly string[], aliases: readonly string[]): Promise<readonly string[]>;
  find(actor: Actor, named: string): Promise<VirtualKey>;
  list(actor: Actor, filter: Omit<KeyFilter, "owner">): ReturnType<KeyStore["list"]>;
}

export interface KeyAdminOptions {
  readonly store: KeyStore;
  readonly hash: () => Promise<HashKey>;
  readonly wallMs?: () => number;
}

/** Everybody makes keys no stronger than what they have themselves, and sees only their own. */
export function createKeyAdmin({ store, hash, wallMs = Date.now }: KeyAdminOptions): KeyAdmin {
  const lookUp = async (named: string): Promise<VirtualKey | undefined> =>
    named.startsWith("sk-")
      ? store.byHash((await hash())(named))
      : ((await store.byId(named)) ?? (await store.byAlias(named)));
  /** One that belongs to somebody else is as good as none: nobody learns which keys there are. */
  const find = async ({ caller }: Actor, named: string): Promise<VirtualKey> => {
    const found = await lookUp(named);
    if (found !== undefined && owns(caller, found)) return found;
    throw noSuchKey();
  };
  const freeAlias = async (alias: string | undefined, except: string): Promise<void> => {
    const taken = alias === undefined ? undefined : await store.byAlias(alias);
    if (taken !== undefined && taken.id !== except) {
      throw new GatewayError("invalid_request", `The alias ${alias} is taken; choose another.`);
    }
  };
  /** Asked again when the table refuses: somebody may have taken the alias since. */
  const underAlias = async <T>({ alias, id }: VirtualKey, write: () => Promise<T>): Promise<T> => {
    await freeAlias(alias, id);
    try {
      return await write();
    } catch (error) {
      await freeAlias(alias, id);
      throw error;
    }
  };
  const insert = async (key: string, made: VirtualKey): Promise<MadeKey> => {
    const keyHash = (await hash())(key);
    await underAlias(made, () => store.insert(made, keyHash));
    return { key, made };
  };

  return {
    find,
    async generate(actor, fields) {
      const { key, id } = newKey();
      const now = wallMs();
      const grant = grantOf(fields, actor, id, now);
      requireNotLoosened(actor, unbounded, grant);
      return insert(key, {
        ...grant,
        ...stamps(now),
        id,
        hint: hintOf(key),
        createdBy: nameOf(actor.caller),
        replaces: undefined,
        former: [],
      });
    },
    update: (actor, named, fields) =>
      onNewest(async () => {
        const old = await find(actor, named);
        const now = wallMs();
        const merged = merge(old, fields);
        const grant = grantOf(merged, actor, old.id, now);
        if (old.blocked && !grant.blocked) requireAdmin(actor, "unblock a key");
        const kept = ownership(old, fields);
        const expiresAt = fields.duration == null ? old.expiresAt : grant.expiresAt;
        const changed = { ...old, ...grant, ...kept, expiresAt, updatedAt: after(old, now) };
        requireWithin(actor, old);
        requireWithin(actor, changed);
        requireNotLoosened(actor, old, changed);
        return (await underAlias(changed, () => store.update(old, changed))) ? changed : undefined;
      }),
    regenerate: (actor, named, gracePeriod) =>
      onNewest(async () => {
        const old = await find(actor, named);
        const graceMs = durationMs(gracePeriod);
        if (graceMs === undefined)
          throw new GatewayError("invalid_request", "grace_period: expected for example 24h, or 0s.");
        if (old.blocked) requireAdmin(actor, "replace a blocked key");
        requireWithin(actor, old);
        const { key, id } = newKey();
        const now = wallMs();
        const end = new Date(now + graceMs).toISOString();
        const expiresAt = outlives(old.expiresAt, end) ? end : old.expiresAt;
        // The alias moves on; it names the key that is in use. What limits went by it stay with the old one.
        const limits = stricter(old.limits, ruleOfKey(actor.keyLimits, old.alias));
        const replaced: VirtualKey = { ...old, alias: undefined, limits, expiresAt, updatedAt: after(old, now) };
        const made: VirtualKey = {
          ...old,
          ...stamps(now),
          id,
          hint: hintOf(key),
          createdBy: nameOf(actor.caller),
          replaces: old.id,
          former: formerOf(old),
        };
        return (await store.replace(old, replaced, made, (await hash())(key))) ? { key, made, replaced } : undefined;
      }),
    async setBlocked(actor, named, blocked) {
      const old = await find(actor, named);
      if (!blocked) requireAdmin(actor, "unblock a key");
      const updatedAt = after(old, wallMs());
      if (!(await store.setBlocked(old.id, blocked, updatedAt))) throw noSuchKey();
      return { ...old, blocked, updatedAt };
    },
    async delete(actor, named, aliases) {
      const found = await Promise.all([...named, ...aliases].map((one) => find(actor, one)));
      for (const { id } of found) await store.delete(id);
      return found.map(({ id }) => id);
    },
    list: ({ caller }, filter) => store.list({ ...filter, owner: ownerOf(caller) }),
  };
}

/** Whose keys a caller deals with: an administrator everyone's, a team its own, everybody else their own. */
export function ownerOf(caller: Caller): KeyOwner {
  if (caller.role === "admin") return "anyone";
  if (caller.role === "team" && caller.teamId !== undefined) return { teamId: caller.teamId };
  return { issuer: caller.issuer, subject: caller.subject };
}

function owns(caller: Caller, key: VirtualKey): boolean {
  const owner = ownerOf(caller);
  if (owner === "anyone" || caller.key?.id === key.id) return true;
  return "teamId" in owner ? key.teamId === owner.teamId : key.issuer === owner.issuer && key.subject === owner.subject;
}

function noSuchKey(): GatewayError {
  return new GatewayError("not_found", "There is no such key; name it by its id (key_…), its alias, or itself.");
}

/** Of one key at once; each try that fails is somebody else's that did not. */
const maxTries = 20;

/** Decided anew when the key was changed, blocked or deleted since it was read: what others did has happened. */
async function onNewest<T>(change: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < maxTries; tries += 1) {
    const done = await change();
    if (done !== undefined) return done;
  }
  const message = "This key is being changed by too many at once. Try again shortly.";
  throw new GatewayError("auth_unavailable", message, { retryAfterSeconds: 1 });
}

function requireAdmin({ caller }: Actor, what: string): void {
  if (caller.role !== "admin") throw new GatewayError("forbidden", `Not allowed: only an administrator can ${what}.`);
}

function stamps(nowMs: number): Pick<VirtualKey, "createdAt" | "updatedAt"> {
  const at = new Date(nowMs).toISOString();
  return { createdAt: at, updatedAt: at };
}

const maxFormer = 1_000;

/** The oldest stays, since what they use is counted under its name. */
function formerOf({ id, former }: VirtualKey): readonly string[] {
  const all = [...former, id];
  return all.length <= maxFormer ? all : [...all.slice(0, 1), ...all.slice(1 - maxFormer)];
}

/** Of each state another, also within a millisecond and when the clock was set back. */
function after({ updatedAt }: VirtualKey, nowMs: number): string {
  return new Date(Math.max(nowMs, Date.parse(updatedAt) + 1)).toISOString();
}

/** Identity, not a name: who made it must be told apart for good. */
function nameOf({ issuer, subject }: Caller): string {
  return `${issuer} ${subject}`;
}

/**
 * What the request does not mention stays as it is. LiteLLM's null takes away a limit, the alias or the metadata; where
 * nothing would mean everything, it is no mention: clients send it for all that their user left alone.
 */
function merge(old: VirtualKey, fields: KeyFields): KeyFields {
  const { limits } = old;
  return {
    key_alias: old.alias,
    metadata: old.metadata,
    rpm_limit: limits.rpm,
    tpm_limit: limits.tpm,
    max_parallel_requests: limits.maxParallel,
    max_budget: limits.budget?.usd,
    soft_budget: limits.budget === undefined ? undefined : limits.budget.usd * limits.budget.warnAt,
    ...fields,
    models: fields.models ?? [...old.models],
    blocked: fields.blocked ?? old.blocked,
    budget_duration: fields.budget_duration ?? limits.budget?.period,
    allowed_routes: fields.allowed_routes ?? (fields.key_type == null ? [...old.routes] : []),
  };
}

/** Whoever changes a limit does not take the key away from whom it belongs to. */
function ownership(old: VirtualKey, fields: KeyFields): Partial<VirtualKey> {
  const { issuer, subject, userId, email, groups, explicit, role, teamId } = old;
  const moved = fields.user_id != null && fields.user_id !== old.userId;
  return {
    ...(moved ? {} : { issuer, subject, userId, email, groups, explicit }),
    ...(fields.user_role == null ? { role } : {}),
    ...(fields.team_id == null ? { teamId } : {}),
  };
}
