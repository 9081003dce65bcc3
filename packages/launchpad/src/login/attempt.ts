import type { Context } from "hono";
import * as oidc from "openid-client";
import { z } from "zod";
import { createCookie } from "../session/cookie.ts";
import type { Seal } from "../session/seal.ts";
import type { LoginChecks } from "./provider.ts";

/** A login on its way: what was sent to the provider, kept in this browser only. */
export interface Attempt extends LoginChecks {
  readonly provider: string;
  readonly returnTo: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

/** Logins that this browser has begun. */
export interface Attempts {
  begin(c: Context, provider: string, returnTo: string): Promise<Attempt>;
  /** The attempt of this browser with this state, once: it is forgotten at the same time. */
  take(c: Context, provider: string, state: string): Promise<Attempt | undefined>;
}

const attemptShape = z.object({
  provider: z.string(),
  returnTo: z.string(),
  startedAt: z.number(),
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
});

const lifeSeconds = 600;
/** Sign-in pages open in several tabs at once; the oldest makes room. */
const maxAttempts = 3;

/**
 * Keeps attempts in one sealed cookie, so that an answer is only good in the browser that asked (login CSRF), and a
 * visitor who never signs in leaves nothing behind in a store.
 */
export function createAttempts(seal: Seal, secure: boolean, now: () => number = Date.now): Attempts {
  const cookie = createCookie("onbehalf_login", secure);

  async function read(c: Context): Promise<readonly Attempt[]> {
    const value = cookie.read(c);
    const opened = z.array(attemptShape).safeParse(value && (await seal.open(value, "login")));
    const oldest = now() - lifeSeconds * 1000;
    return opened.success ? opened.data.filter(({ startedAt }) => startedAt > oldest) : [];
  }

  async function write(c: Context, attempts: readonly Attempt[]): Promise<void> {
    if (attempts.length === 0) return cookie.clear(c);
    cookie.write(c, await seal.seal(attempts, "login"), lifeSeconds);
  }

  return {
    async begin(c, provider, returnTo) {
      const attempt: Attempt = {
        provider,
        returnTo,
        startedAt: now(),
        state: oidc.randomState(),
        nonce: oidc.randomNonce(),
        verifier: oidc.randomPKCECodeVerifier(),
      };
      await write(c, [...(await read(c)), attempt].slice(-maxAttempts));
      return attempt;
    },
    async take(c, provider, state) {
      const attempts = await read(c);
      const found = attempts.find((attempt) => attempt.state === state && attempt.provider === provider);
      if (found !== undefined)
        await write(
          c,
          attempts.filter((attempt) => attempt !== found),
        );
      return found;
    },
  };
}
