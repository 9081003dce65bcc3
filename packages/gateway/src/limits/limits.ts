import type { Caller } from "../caller.ts";
import { matchesModel } from "../policy/patterns.ts";
import type { Period } from "./period.ts";

/** Money for a period; a call draws its estimate first, and what it cost when it has ended. */
export interface Budget {
  readonly usd: number;
  readonly period: Period;
  /** From this share of the budget on a warning is given. */
  readonly warnAt: number;
}

/** What one user, group, team, key, app or model may use. Undefined: no limit of that kind. */
export interface LimitRule {
  readonly rpm: number | undefined;
  readonly tpm: number | undefined;
  readonly maxParallel: number | undefined;
  readonly budget: Budget | undefined;
}

export type Scope = "user" | "group" | "team" | "key" | "app" | "model";

/** `"*"` stands for each name that is not listed, each with a limit of its own. */
export interface LimitTables {
  readonly user: Readonly<Record<string, LimitRule>>;
  readonly group: Readonly<Record<string, LimitRule>>;
  readonly team: Readonly<Record<string, LimitRule>>;
  readonly key: Readonly<Record<string, LimitRule>>;
  readonly app: Readonly<Record<string, LimitRule>>;
  readonly model: Readonly<Record<string, LimitRule>>;
}

/** A rule applied to somebody: what is counted together, under one id. */
export interface Limit extends LimitRule {
  readonly scope: Scope;
  /** As an administrator would say it: `user alice@example.com`. */
  readonly name: string;
  /** What is counted together; unique over scopes and issuers. */
  readonly id: string;
  /** For finding what was spent before this process knew the limit. */
  readonly subject: { readonly issuer?: string; readonly value: string; readonly former?: readonly string[] };
}

/** Every limit that this call counts against. Pure. */
export function limitsFor(tables: LimitTables, caller: Caller, model: string): readonly Limit[] {
  const limits: Limit[] = [];
  const add = (
    scope: Scope,
    name: string,
    rule: LimitRule | undefined,
    subject: Limit["subject"],
    id: string,
  ): void => {
    if (rule !== undefined && !isEmpty(rule))
      limits.push({ ...rule, scope, name: `${scope} ${name}`, id: `${scope}:${id}`, subject });
  };
  const { issuer, subject, userId, teamId, clientId, key } = caller;
  if (caller.kind === "user" && caller.credential !== "master-key") {
    add("user", userId, find(tables.user, userId), { issuer, value: subject }, part(issuer) + part(subject));
  }
  // A token may name a group twice, and the call is still one.
  for (const group of new Set(caller.groups))
    add("group", group, own(tables.group, group), { value: group }, part(group));
  if (teamId !== undefined) add("team", teamId, find(tables.team, teamId), { value: teamId }, part(teamId));
  if (key !== undefined) {
    const label = key.alias ?? key.id;
    // Who replaces his key has spent what he has spent.
    const counted = { value: key.id, former: key.former };
    const line = part(key.former[0] ?? key.id);
    add("key", label, key.limits, counted, line);
    add("key", label, find(tables.key, label), counted, `table:${line}`);
  }
  if (clientId !== undefined) add("app", clientId, find(tables.app, clientId), { value: clientId }, part(clientId));
  for (const [pattern, rule] of Object.entries(tables.model)) {
    if (matchesModel(pattern, model)) add("model", pattern, rule, { value: pattern }, part(pattern));
  }
  return limits;
}

/** What `access.keys` says of a key, by its alias. */
export function ruleOfKey(table: LimitTables["key"], alias: string | undefined): LimitRule | undefined {
  return find(table, alias ?? "*");
}

function find(table: Readonly<Record<string, LimitRule>>, name: string): LimitRule | undefined {
  return own(table, name) ?? own(table, "*");
}

function own(table: Readonly<Record<string, LimitRule>>, name: string): LimitRule | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

/** Both rules as one, as far as one can say it: of two budgets the first. */
export function stricter(rule: LimitRule, other: LimitRule | undefined): LimitRule {
  if (other === undefined) return rule;
  return {
    rpm: lower(rule.rpm, other.rpm),
    tpm: lower(rule.tpm, other.tpm),
    maxParallel: lower(rule.maxParallel, other.maxParallel),
    budget: rule.budget ?? other.budget,
  };
}

function lower(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
}

/** A rule that limits nothing, and so needs no counting. */
export function isEmpty({ rpm, tpm, maxParallel, budget }: LimitRule): boolean {
  return rpm === undefined && tpm === undefined && maxParallel === undefined && budget === undefined;
}

/** Length first, so that no name can pretend to be two. */
function part(text: string): string {
  return `${text.length}:${text}`;
}
