import { mask } from "@onbehalf/service-kit";
import type { Caller } from "../caller.ts";

/** What is the same in every row of a caller, as JSON: the two blocks of `rowColumns` around `app`, and `app` itself. */
export interface CallerText {
  /** `user_id` to `actors`. */
  readonly person: string;
  /** Where the client says nothing of itself. */
  readonly app: string;
  /** `groups` to `expires_at`. */
  readonly grant: string;
}

/** The columns that are the caller's, as text that goes into the row unchanged. */
export function callerText(caller: Caller | undefined): CallerText {
  const actors = (caller?.actors ?? []).map(({ issuer, subject }) => ({ issuer: issuer ?? null, subject }));
  const person = [caller?.userId, caller?.email, caller?.issuer, caller?.subject, caller?.teamId, caller?.clientId];
  const lists = [caller?.groups ?? [], caller?.audience ?? [], caller?.scopes ?? []];
  const credential = [caller?.credential, caller?.role, caller?.key?.id];
  return {
    person: [...person.map(orNull), inner(actors)].join(","),
    app: orNull(caller?.clientId ?? caller?.key?.alias),
    grant: [...lists.map(inner), ...credential.map(orNull), figure(caller?.expiresAt)].join(","),
  };
}

/**
 * A text as JSON, as both databases can hold it: a client may name a model with U+0000 or half a character, and one row
 * that cannot be written would hold up all that follow.
 */
export function quoted(text: string): string {
  const json = JSON.stringify(text);
  // Whatever a database could refuse is escaped in JSON; where nothing is, nothing has to be looked for.
  if (json.length === text.length + 2) return json;
  return JSON.stringify(text.toWellFormed().replaceAll("\0", "\ufffd"));
}

export function orNull(text: string | null | undefined): string {
  return text === null || text === undefined ? "null" : quoted(text);
}

/** Null for what is no number: JSON has no word for it. */
export function figure(value: number | null | undefined): string {
  return Number.isFinite(value) ? `${value}` : "null";
}

/** JSON in a column of text. */
function inner(value: unknown): string {
  return quoted(JSON.stringify(value));
}

/** Nearly always there is nothing: not to be serialised each time. Words of the client's may be in it, and no secret. */
export function detailText(detail: Readonly<Record<string, unknown>>): string {
  for (const name in detail) if (Object.hasOwn(detail, name)) return quoted(mask(JSON.stringify(detail)));
  return '"{}"';
}
