import type { SessionUser } from "../session/session.ts";

/** More groups than this are not shown to anybody; the services below decide by their own token anyway. */
const maxGroups = 500;

/** Who an ID token says has signed in (OpenID Connect Core section 2). */
export function userFrom(claims: Readonly<Record<string, unknown>>, groupsClaim: string): SessionUser {
  return {
    issuer: String(claims.iss),
    subject: String(claims.sub),
    name: text(claims.name) ?? text(claims.preferred_username),
    email: text(claims.email),
    groups: strings(claims[groupsClaim]),
  };
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function strings(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return [];
  return value.filter((entry): entry is string => typeof entry === "string").slice(0, maxGroups);
}
