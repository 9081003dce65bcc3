import type { TrailIdentity } from "@onbehalf/service-kit";
import type { ScopedToken } from "@onbehalf/shared-auth";
import type { App } from "./apps/app.ts";

/** Gets the token for Voicebox on behalf of one caller. `rejected`: a token that Voicebox has just refused. */
type VoiceboxToken = (signal: AbortSignal, rejected?: string) => Promise<ScopedToken>;

/** Who makes a request and how they showed it; from here on, browser and program are the same. */
export interface Caller {
  readonly identity: TrailIdentity;
  /** Claims of the credential, to be shown to the caller alone. Never a token. */
  readonly claims: Readonly<Record<string, unknown>>;
  readonly app: App;
  /** `X-Client-Id`: which program this is, by its own word. */
  readonly clientId: string | undefined;
  readonly token: VoiceboxToken;
  /** Through which login provider a step-up would go; undefined for programs, which do it themselves. */
  readonly provider: string | undefined;
  /**
   * Clients that bring the key as Bearer know an action's value as text only (Stardog's Python client refuses a whole
   * answer for one that is not): for them it is written as JSON.
   */
  readonly textOnly?: boolean;
}

/** Reads the trail and the caller's own data; needs no application. */
export type Reader = Omit<Caller, "app">;
