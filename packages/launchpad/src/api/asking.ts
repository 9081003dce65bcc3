import { HttpError, type Outcome, type TrailExchange } from "@onbehalf/service-kit";
import { AuthError, toWire, type WireOptions } from "@onbehalf/shared-auth";
import type { Context } from "hono";
import { routePath } from "hono/route";
import type { Response as VoiceboxAnswer } from "undici";
import { z } from "zod";
import type { Caller } from "../caller.ts";
import { launchpadHop } from "../trail.ts";
import type { TrailStore } from "../trail-store.ts";
import type { Voicebox } from "../voicebox.ts";
import type { ApiEnv, Credentials } from "./credentials.ts";
import { callOf, sendOnBehalf } from "./on-behalf.ts";
import { type AskRequest, askAnswer, askRequest, type Snapshot, snapshot, withTextValues } from "./schemas.ts";
import { snapshotStream } from "./stream.ts";

type C = Context<ApiEnv>;

/** What a question goes through: who asks, may they, Voicebox, and the trail. */
export interface AskingOptions {
  readonly credentials: Credentials;
  readonly voicebox: Voicebox;
  readonly trail: Pick<TrailStore, "add">;
  /** @throws HttpError 429 naming the limit */
  readonly limit: (caller: Caller) => Promise<void>;
  /** Where a browser goes to satisfy a claims challenge, and comes back with its question. */
  readonly stepUpUrl: (provider: string, claims: string) => Promise<string>;
  /** What challenges say of this service. */
  readonly resource: WireOptions;
  readonly now?: () => number;
}

/** The ways to be answered. */
interface Run {
  whole(path: "ask" | "generate-query"): Promise<Response>;
  /** `toLine`: changes a line on its way, for the page. */
  streamed(toLine?: (snapshot: Snapshot) => object, paceMs?: number): Promise<Response>;
}

/** The same paths here and at Voicebox. */
export const voiceboxPath = "/api/v1/voicebox";

/** Reverse proxies that buffer would turn a stream into one late answer. */
const streamHeaders = {
  "content-type": "application/x-ndjson",
  "cache-control": "no-store",
  "x-accel-buffering": "no",
} as const;

type Note = (status: number, outcome: Outcome, errorCode: string | null) => void;

/** Authenticates, limits, then asks; whatever the end, one hop goes into the trail. */
export function createAsking(
  options: AskingOptions,
): (c: C, ask: (run: Run) => Promise<Response>) => Promise<Response> {
  const { credentials, voicebox, trail, now = Date.now } = options;

  return async (c, ask) => {
    const startedAt = now();
    const caller = await credentials.caller(c);
    let exchange: TrailExchange | null = null;
    const record: Note = (status, outcome, errorCode) => {
      const { requestId, trace } = c.var;
      const facts = { startedAt, now: now(), status, outcome, errorCode, caller, exchange };
      trail.add(
        launchpadHop({ ...facts, requestId, traceId: trace.traceId, route: `${c.req.method} ${routePath(c)}` }),
      );
    };
    const send = async (path: string): Promise<VoiceboxAnswer> => {
      const body = bodyFor(await readQuestion(c), caller);
      const request = { method: "POST", path: `${voiceboxPath}/${path}`, body } as const;
      return sendOnBehalf(voicebox, caller, request, callOf(c), (made) => {
        exchange = made;
        c.var.note({ exchange: made.source });
      }).catch((error: unknown) => {
        throw userNeededBelow(error, caller) ?? error;
      });
    };
    try {
      await options.limit(caller);
      return await ask(runOf(c, caller, send, record));
    } catch (error) {
      const { status, code } = describe(error);
      record(status, status === 401 || status === 403 ? "denied" : status === 429 ? "limited" : "error", code);
      if (needsStepUp(error) && caller.provider !== undefined) return stepUp(c, caller.provider, error, options);
      throw error;
    }
  };
}

/** Voicebox speaks of the token it saw; who came with a key alone sent none. */
function userNeededBelow(error: unknown, { identity }: Caller): HttpError | undefined {
  if (!(error instanceof HttpError) || error.error !== "user_required" || identity.credential !== "app-key") return;
  const message =
    "Voicebox answers known users only, so that the key alone is not enough here. Send a user's token as Bearer and the key in X-Voicebox-App-Key.";
  return new HttpError(403, "user_required", message, { cause: error });
}

function runOf(c: C, caller: Caller, send: (path: string) => Promise<VoiceboxAnswer>, record: Note): Run {
  const asIs = <Answer extends Snapshot | z.output<typeof askAnswer>>(answer: Answer): Answer =>
    caller.textOnly === true ? withTextValues(answer) : answer;
  return {
    async whole(path) {
      const answer = await send(path);
      const body = askAnswer.safeParse(await answer.json().catch(() => undefined));
      if (!body.success) throw badAnswer(body.error);
      record(200, "ok", null);
      return c.json(asIs(body.data), 200, { "cache-control": "no-store" });
    },
    async streamed(toLine = asIs, paceMs = 0) {
      const stream = snapshotStream({
        upstream: await send("stream/ask"),
        requestId: c.var.requestId,
        toLine,
        paceMs,
        parse: (line) => snapshot.parse(JSON.parse(line)),
        onEnd: (outcome, last) => record(last?.error?.status ?? 200, outcome, last?.error?.error ?? null),
      });
      return c.body(stream, 200, streamHeaders);
    },
  };
}

/** A program gets the challenge alone; a browser is also told where to go. */
async function stepUp(
  c: C,
  provider: string,
  error: AuthError,
  { stepUpUrl, resource }: Pick<AskingOptions, "stepUpUrl" | "resource">,
): Promise<Response> {
  c.var.note({ error_code: error.code });
  const body = {
    error: "step_up_required",
    message: "For this, your provider wants to make sure again that it is you. Your question is kept.",
    request_id: c.var.requestId,
    login_url: await stepUpUrl(provider, claimsFor(error)),
  };
  return c.json(body, 401, toWire(error, resource).headers);
}

function needsStepUp(error: unknown): error is AuthError {
  return error instanceof AuthError && error.code === "step_up_required";
}

/** What the provider is asked for; classes as a claim that it must meet (OpenID Connect Core section 5.5.1.1). */
function claimsFor({ claims, acrValues }: AuthError): string {
  if (claims !== undefined || acrValues === undefined) return claims ?? "{}";
  return JSON.stringify({ id_token: { acr: { essential: true, values: acrValues.trim().split(/ +/) } } });
}

async function readQuestion(c: C): Promise<AskRequest> {
  const body: unknown = await c.req.json().catch(() => {
    throw new HttpError(400, "invalid_request", 'The body is not JSON. Send for example {"query": "Who is Bob?"}.');
  });
  return askRequest.parse(body);
}

/** What Voicebox is asked: the question, and the data of the application it came through. */
function bodyFor(asked: AskRequest, { app, clientId }: Caller) {
  const { id, name, connection, database, model, named_graphs, reasoning } = app;
  return {
    query: asked.query ?? asked.message,
    conversation_id: asked.conversation_id ?? null,
    ...(asked.think_mode === undefined ? {} : { think_mode: asked.think_mode }),
    ...(clientId === undefined ? {} : { client_id: clientId }),
    app: { id, name, connection, database, model, named_graphs, reasoning },
  };
}

function badAnswer(cause: unknown): HttpError {
  const message = "Voicebox answered in a form that is not understood here. Tell your administrator.";
  return new HttpError(502, "voicebox_answer_invalid", message, { cause });
}

function describe(error: unknown): { status: number; code: string } {
  if (error instanceof HttpError) return { status: error.status, code: error.error };
  if (error instanceof AuthError) return { status: toWire(error).status, code: error.code };
  if (error instanceof z.core.$ZodError) return { status: 400, code: "invalid_request" };
  return { status: 500, code: "internal_error" };
}
