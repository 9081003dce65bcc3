import { type Caller, localIssuer } from "../caller.ts";
import type { Readable } from "../record/queries.ts";

/** Whose rows this caller may read. Administrators: all; a team: its own; everybody else: their own. */
export function readableBy(caller: Caller): Readable {
  if (caller.role === "admin") return { kind: "all" };
  if (caller.role === "team" && caller.teamId !== undefined) return { kind: "team", teamId: caller.teamId };
  if (caller.issuer === localIssuer && caller.key !== undefined) return { kind: "key", keyId: caller.key.id };
  return { kind: "person", issuer: caller.issuer, subject: caller.subject };
}
