import { HttpError, type Note } from "@onbehalf/service-kit";
import type { Exchange, ScopedToken } from "@onbehalf/shared-auth";
import { AuthError } from "@onbehalf/shared-auth";
import type { Context } from "hono";
import type { Answer } from "./answer.ts";
import type { Ask, AskEvent } from "./ask.ts";
import { type Caller, ownerOf, userName } from "./caller.ts";
import type { Connection } from "./connections.ts";
import type { Exchanges } from "./exchanges.ts";
import { asHttp } from "./failure.ts";
import type { QueryCall } from "./graph/graph.ts";
import { createSession, type Session } from "./graph/session.ts";
import { callerOf } from "./identify.ts";
import { headersFor, headerText } from "./llm/headers.ts";
import { createLlm, type GatewayAccess, type GatewayTokens } from "./llm-client.ts";
import type { Measures } from "./measure.ts";
import { type Question, questionSchema } from "./question.ts";
import { type Recorder, type RecordVariables, since, trailExchange } from "./record.ts";
import type { Setup, Setups } from "./setup.ts";
import type { ToolMode } from "./tools.ts";

interface AnsweringOptions {
  readonly ask: Ask;
  readonly setups: Setups;
  /** Undefined for a service without JWT authentication, which has one key for all. */
  readonly exchanges: Exchanges | undefined;
  readonly llmKey: string | undefined;
  readonly measures: Measures;
}

/** Answers the question of a request; `onProgress` sees the answer grow. */
export type Answering = (
  c: Context<{ Variables: RecordVariables }>,
  mode: ToolMode,
  onProgress?: (snapshot: () => Answer) => void,
) => Promise<Answer>;

const maxToolCharacters = 16_000;

/** Puts together what one question needs: its caller's token, its application's database, its place in the trace. */
export function createAnswering({ ask, setups, exchanges, llmKey, measures }: AnsweringOptions): Answering {
  return async (c, mode, onProgress) => {
    const question = questionSchema.parse(await bodyOf(c));
    const caller = callerOf(c, question.clientId);
    const { signal, recorder, trace, note } = c.var;
    note({ app: question.app.id });
    recorder.app(question.app.id);
    if (caller.kind === "user")
      recorder.event("verify", { issuer: caller.identity.issuer, subject: caller.identity.subject });
    const { setup, release } = setups.acquire();
    try {
      const { headers: configured } = setup.config.default_llm_config.provider_args;
      const headers = {
        ...headersFor(configured, userName(caller, question.clientId)),
        traceparent: trace.traceparent,
        "x-request-id": c.var.requestId,
        "x-onbehalf-app": headerText(question.app.id),
        ...(trace.tracestate === undefined ? {} : { tracestate: trace.tracestate }),
      };
      requireModel(setup);
      const tokens = recorded(tokensOf(caller, exchanges?.gateway, llmKey), recorder, measures);
      const llm = createLlm({ wire: setup.wire, tokens, headers });
      const session = sessionOf({ setup, question, caller, exchanges, signal, traceparent: trace.traceparent });
      const onEvent = eventsInto(recorder, note, measures, setup.config.default_llm_config.llm_name);
      return await ask(question, { caller, llm, session, signal, mode, onProgress, onEvent });
    } catch (error) {
      throw asHttp(error, signal);
    } finally {
      release();
    }
  };
}

async function bodyOf(c: Context): Promise<unknown> {
  try {
    return await c.req.json();
  } catch (error) {
    const message = 'The body is not JSON; send {"query": "…"} with content-type application/json.';
    throw new HttpError(400, "invalid_request", message, { cause: error });
  }
}

function requireModel({ config }: Setup): void {
  if (config.enable_external_llm) return;
  throw new HttpError(503, "llm_disabled", "This service has its language model switched off (enable_external_llm).");
}

/** The caller's way to a token for the gateway. */
function tokensOf(caller: Caller, exchange: Exchange | undefined, llmKey: string | undefined): GatewayTokens {
  if (caller.kind === "user" && exchange !== undefined) {
    return async (signal, rejected) => {
      const exchanged = await exchange(caller.subject, rejected === undefined ? { signal } : { signal, rejected });
      return { token: exchanged.accessToken, exchanged };
    };
  }
  return async () => ({ token: llmKey ?? "", exchanged: undefined });
}

/** Seconds of life that a token must have left to be used for the next turn of the same question. */
const leastLifeSeconds = 10;

function isFresh({ exchanged }: GatewayAccess): boolean {
  if (exchanged === undefined) return true;
  return exchanged.expiresAt !== undefined && exchanged.expiresAt - leastLifeSeconds > Date.now() / 1_000;
}

/** One token serves all turns of a question, and the record says once how it was come by. */
function recorded(tokens: GatewayTokens, recorder: Recorder, measures: Measures): GatewayTokens {
  let told = false;
  let held: GatewayAccess | undefined;
  return async (signal, rejected) => {
    if (held !== undefined && rejected === undefined && isFresh(held)) return held;
    const startedAt = performance.now();
    try {
      const access = await tokens(signal, rejected);
      // Every turn of the model asks for the token; only the first and a renewed one are news.
      if (access.exchanged !== undefined && (!told || rejected !== undefined)) note(access.exchanged, since(startedAt));
      told = true;
      held = access;
      return access;
    } catch (error) {
      const code = error instanceof AuthError ? error.code : "internal_error";
      measures.exchange("failed", since(startedAt));
      recorder.event("exchange", { outcome: "failed", code, duration_ms: since(startedAt) });
      throw error;
    }
  };

  function note(token: ScopedToken, durationMs: number): void {
    recorder.exchanged(trailExchange(token, durationMs));
    measures.exchange(token.source, durationMs);
    const { source, issuer, audience, scopes } = token;
    recorder.event("exchange", { outcome: "ok", source, issuer, audience, scopes, duration_ms: durationMs });
  }
}

interface SessionParts {
  readonly setup: Setup;
  readonly question: Question;
  readonly caller: Caller;
  readonly exchanges: Exchanges | undefined;
  readonly signal: AbortSignal;
  readonly traceparent: string;
}

function sessionOf({ setup, question, caller, exchanges, signal, traceparent }: SessionParts): Session {
  const connection: Connection = setup.connections.find(question.app.connection);
  const { dataset } = question.app;
  const call = { signal, traceparent, authorization: databaseToken(connection, caller, exchanges) };
  return createSession({
    graph: connection.graph,
    dataset,
    limits: connection.limits,
    call,
    parse: setup.parse,
    description: () => setup.schemas.of(connection, dataset, ownerOf(caller), call),
    maxToolCharacters,
  });
}

/** For a database that knows its users: a token of its own for each, exchanged when it is first asked. */
function databaseToken(
  { exchange: target }: Connection,
  caller: Caller,
  exchanges: Exchanges | undefined,
): QueryCall["authorization"] {
  if (target === undefined || caller.kind !== "user" || exchanges === undefined) return undefined;
  const exchange = exchanges.to(target);
  return async (signal) => (await exchange(caller.subject, { signal })).accessToken;
}

/** Adds up what the model used and keeps what was asked of the database. */
function eventsInto(recorder: Recorder, note: Note, measures: Measures, model: string): (event: AskEvent) => void {
  const used = { model, steps: 0, input_tokens: 0, output_tokens: 0, queries: 0, rows: 0 };
  return (event) => {
    if (event.event === "model") {
      used.steps += 1;
      used.input_tokens += event.inputTokens;
      used.output_tokens += event.outputTokens;
      measures.tokens(event.inputTokens, event.outputTokens, model);
      recorder.event("model", { input_tokens: event.inputTokens, output_tokens: event.outputTokens });
    } else {
      used.queries += 1;
      used.rows += event.rows;
      measures.query(event.tool, event.outcome);
      const { event: name, ...fields } = event;
      recorder.event(name, fields);
      if (event.sparql !== undefined) recorder.detail({ sparql: event.sparql });
    }
    recorder.detail(used);
    note(used);
  };
}
