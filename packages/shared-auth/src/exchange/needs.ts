import type { Needs } from "./profile.ts";

interface Configured {
  readonly profile: string;
  readonly audience?: unknown;
  readonly resource?: unknown;
  readonly scopes?: readonly string[] | undefined;
  readonly actor?: unknown;
  readonly target?: unknown;
}

/** @throws TypeError naming what the profile needs, or cannot use and would silently leave out */
export function requireNeeds(options: Configured, needs: Needs): void {
  const given = { ...options, scopes: options.scopes?.length ? options.scopes : undefined };
  for (const [name, need] of Object.entries(needs) as [keyof Needs, "required" | "unsupported"][]) {
    const present = given[name] !== undefined;
    if (need === "required" && !present) throw new TypeError(`Profile ${options.profile} needs \`${name}\`.`);
    if (need === "unsupported" && present) {
      throw new TypeError(`Profile ${options.profile} has no \`${name}\`; leave it out.`);
    }
  }
  if (given.target !== undefined && needs.target === undefined) {
    throw new TypeError(`Profile ${options.profile} has no \`target\`; it is for id_jag.`);
  }
}
