import type { Log, RequestVariables } from "@onbehalf/service-kit";
import type { Caller } from "./caller.ts";
import type { Exchanges } from "./exchanges.ts";
import type { Session } from "./session/session.ts";
import type { Voicebox } from "./voicebox.ts";

interface SignOutOptions {
  readonly exchanges: Exchanges;
  readonly voicebox: Voicebox;
  readonly tokenForSession: (session: Session) => Caller["token"];
  readonly log: Log;
}

/** Signing out does not wait longer than this for the services below. */
const tellMs = 2000;

/**
 * Lets go of what is cached for somebody who signs out, here and at Voicebox. That Voicebox cannot be told does not
 * keep anybody signed in: what it holds ends by itself with the token.
 */
export function createSignOut({ exchanges, voicebox, tokenForSession, log }: SignOutOptions) {
  async function tell(
    session: Session,
    { trace, requestId }: Pick<RequestVariables, "trace" | "requestId">,
  ): Promise<void> {
    const signal = AbortSignal.timeout(tellMs);
    const { accessToken } = await tokenForSession(session)(signal);
    const call = { token: accessToken, traceparent: trace.traceparent, requestId, signal };
    const answer = await voicebox.send("DELETE", "/api/session", undefined, call);
    await answer.body?.cancel();
  }

  return async (
    ended: readonly Session[],
    c: { readonly var: Pick<RequestVariables, "trace" | "requestId"> },
  ): Promise<void> => {
    const [first] = ended;
    if (first === undefined) return;
    // All of one person's sessions: Voicebox needs to hear it once.
    await tell(first, c.var).catch((error: unknown) => log.warn({ err: error }, "Voicebox was not told of a sign-out"));
    await Promise.all(ended.map(({ provider, user }) => exchanges.of(provider).purge(user)));
  };
}
