import { HttpError, type RequestVariables, type TrailExchange } from "@onbehalf/service-kit";
import { AuthError, type ScopedToken } from "@onbehalf/shared-auth";
import type { Response } from "undici";
import type { Reader } from "../caller.ts";
import type { Voicebox, VoiceboxCall } from "../voicebox.ts";

/** Notes for the record how the token for Voicebox was come by. */
type NoteExchange = (exchange: TrailExchange) => void;

export interface Send {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
}

/**
 * EXCHANGE and CALL: asks Voicebox with a token that speaks for the caller and is good for Voicebox only. A cached
 * token that Voicebox refuses is dropped and exchanged for once more.
 * @throws AuthError from the exchange; HttpError with Voicebox's own words when it refuses
 */
export async function sendOnBehalf(
  voicebox: Voicebox,
  caller: Pick<Reader, "token">,
  send: Send,
  call: Omit<VoiceboxCall, "token">,
  note: NoteExchange = () => {},
): Promise<Response> {
  const ask = (token: ScopedToken): Promise<Response> =>
    voicebox.send(send.method, send.path, send.body, { ...call, token: token.accessToken });

  const token = await timed(() => caller.token(call.signal), note);
  const answer = await ask(token);
  if (answer.status !== 401) return accept(answer);
  const asked = stepUpOf(answer);
  if (asked !== undefined || token.source === "fresh") return refuse(answer, asked);
  await answer.body?.cancel();
  const again = await timed(() => caller.token(call.signal, token.accessToken), note);
  const second = await ask(again);
  return second.status === 401 ? refuse(second, stepUpOf(second)) : accept(second);
}

async function timed(get: () => Promise<ScopedToken>, note: NoteExchange): Promise<ScopedToken> {
  const startedAt = performance.now();
  const token = await get();
  note({
    issuer: token.issuer,
    client_id: token.clientId,
    audience: token.audience ?? null,
    scopes: token.scopes,
    source: token.source,
    duration_ms: Math.round((performance.now() - startedAt) * 100) / 100,
    expires_at: token.expiresAt ?? null,
    error_code: null,
  });
  return token;
}

async function accept(answer: Response): Promise<Response> {
  if (answer.ok) return answer;
  throw await refusedBelow(answer);
}

async function refuse(answer: Response, asked: StepUp | undefined): Promise<never> {
  const error = await refusedBelow(answer);
  if (asked === undefined) throw error;
  throw new AuthError("step_up_required", error.message, { ...asked, cause: error });
}

/** Something the provider must ask the person for; where neither is known, to sign in once more. */
type StepUp = Pick<AuthError, "claims" | "acrValues">;

/** What a challenge asks for: Entra's `claims`, decoded, or the `acr_values` of RFC 9470 section 3. */
function stepUpOf(answer: Response): StepUp | undefined {
  const header = answer.headers.get("www-authenticate") ?? "";
  if (!/error="(insufficient_claims|insufficient_user_authentication)"/.test(header)) return undefined;
  const [, encoded] = /claims="([A-Za-z0-9+/=_-]{1,4000})"/.exec(header) ?? [];
  const [, acrValues] = /acr_values="([\w:./ -]{1,1000})"/.exec(header) ?? [];
  return { acrValues, claims: encoded === undefined ? undefined : Buffer.from(encoded, "base64").toString("utf8") };
}

const passedStatuses = new Set([400, 401, 403, 404, 409, 413, 422, 429, 503, 504] as const);
type Passed = typeof passedStatuses extends Set<infer S> ? S : never;
const maxErrorBytes = 64 * 1024;

/** What a service below said, in its own words where it has any; its faults become a bad gateway. */
async function refusedBelow(answer: Response): Promise<HttpError> {
  const said = await readError(answer);
  const status = passedStatuses.has(answer.status as Passed) ? (answer.status as Passed) : 502;
  const retryAfter = Number(answer.headers.get("retry-after"));
  return new HttpError(status, said.error, said.message, {
    ...(Number.isFinite(retryAfter) && retryAfter > 0 ? { retryAfterSeconds: retryAfter } : {}),
    cause: `Voicebox answered ${answer.status} ${said.error}`,
  });
}

async function readError(answer: Response): Promise<{ error: string; message: string }> {
  const fallback = { error: "voicebox_refused", message: `Voicebox did not answer this request (${answer.status}).` };
  const length = Number(answer.headers.get("content-length") ?? 0);
  if (length > maxErrorBytes) {
    await answer.body?.cancel();
    return fallback;
  }
  const body: unknown = await answer.json().catch(() => undefined);
  if (typeof body !== "object" || body === null) return fallback;
  const { error, message, detail } = body as Record<string, unknown>;
  const words = [message, detail].find((entry): entry is string => typeof entry === "string" && entry !== "");
  return { error: typeof error === "string" ? error : fallback.error, message: words ?? fallback.message };
}

/** The ids and the end of a request, which go with every call it causes. */
export function callOf(c: { readonly var: Pick<RequestVariables, "trace" | "requestId" | "signal"> }) {
  return { traceparent: c.var.trace.traceparent, requestId: c.var.requestId, signal: c.var.signal };
}
