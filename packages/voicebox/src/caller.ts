import type { Identity, Subject } from "@onbehalf/shared-auth";

/** Who asks: a verified user, or, without JWT authentication, a client of a private network. */
export type Caller =
  | { readonly kind: "user"; readonly identity: Identity; readonly subject: Subject }
  | { readonly kind: "client"; readonly clientId: string };

/** What `$VOICEBOX_USER` stands for: a name people recognise in the gateway's records, not the identity itself. */
export function userName(caller: Caller, clientId: string | undefined): string {
  if (caller.kind === "client") return caller.clientId;
  const { identity } = caller;
  const preferred = identity.claims.preferred_username;
  return typeof preferred === "string" ? preferred : (identity.email ?? identity.subject ?? clientId);
}

/** Whose memory and tokens: issuer and subject together, since either alone can be somebody else's. */
export function ownerOf(caller: Caller): readonly [string, string] {
  return caller.kind === "user" ? [caller.identity.issuer, caller.identity.subject] : ["", caller.clientId];
}
