import { HttpError } from "@onbehalf/service-kit";
import { type Action, type Answer, actionsOf, type Provenance, proof, provenanceOf, type Step } from "./answer.ts";
import { type Caller, ownerOf } from "./caller.ts";
import { type Conversations, messagesOf } from "./conversation.ts";
import { GraphError } from "./graph/graph.ts";
import type { GraphDescription } from "./graph/schema.ts";
import type { Session } from "./graph/session.ts";
import type { LlmMessage, LlmReply, LlmTurn, ToolCall } from "./llm/turn.ts";
import type { Llm } from "./llm-client.ts";
import { systemPrompt } from "./prompt.ts";
import type { Question, ThinkMode } from "./question.ts";
import { type Evidence, runTool, type ToolMode, toolSpecs } from "./tools.ts";

/** The bounds of one question: each ends it by itself. */
interface AskLimits {
  /** Turns of the model. */
  readonly maxSteps: number;
  /** Tokens in and out, all turns together. */
  readonly maxTokens: number;
  readonly maxSeconds: number;
  readonly maxOutputTokens: number;
}

const limitsByMode: Readonly<Record<ThinkMode, AskLimits>> = {
  standard: { maxSteps: 8, maxTokens: 120_000, maxSeconds: 240, maxOutputTokens: 4_096 },
  lite: { maxSteps: 5, maxTokens: 60_000, maxSeconds: 120, maxOutputTokens: 2_048 },
  fast: { maxSteps: 3, maxTokens: 30_000, maxSeconds: 60, maxOutputTokens: 1_024 },
};

/** More calls in one turn are a model gone astray. */
const maxCallsPerTurn = 4;

interface AskContext {
  readonly caller: Caller;
  readonly llm: Llm;
  readonly session: Session;
  readonly signal: AbortSignal;
  /** `check`: the query is wanted, not its answer. */
  readonly mode: ToolMode;
  /** Told after every change while the answer grows; `snapshot` is only made when somebody wants to see it. */
  readonly onProgress?: ((snapshot: () => Answer) => void) | undefined;
  /** Told of what happened, for the record. */
  readonly onEvent: (event: AskEvent) => void;
}

/** What happens while a question is answered, for the record. */
export type AskEvent =
  | { readonly event: "model"; readonly inputTokens: number; readonly outputTokens: number }
  | {
      readonly event: "query";
      readonly tool: string;
      readonly outcome: Step["outcome"];
      readonly rows: number;
      readonly sparql?: string;
    };

export type Ask = (question: Question, context: AskContext) => Promise<Answer>;

interface AskOptions {
  readonly conversations: Conversations;
  readonly limits?: Readonly<Record<ThinkMode, AskLimits>>;
  readonly now?: () => Date;
}

/** What has come together so far. */
interface Progress {
  readonly conversationId: string;
  readonly messageId: string;
  readonly steps: Step[];
  readonly evidence: Evidence[];
  text: string;
}

/**
 * Answers a question by letting the model query the graph, within bounds of steps, tokens and seconds.
 * @throws HttpError 504 when the time is over, 422 when another bound is; AuthError, HttpError and GraphError from below
 */
export function createAsk({ conversations, limits = limitsByMode, now = () => new Date() }: AskOptions): Ask {
  return async (question, context) => {
    const bounds = limits[question.thinkMode];
    const conversationId = question.conversationId ?? crypto.randomUUID();
    const key = { owner: ownerOf(context.caller), app: question.app.id, id: conversationId };
    const before = question.conversationId === undefined ? [] : await conversations.recall(key);
    const { schema, graphs } = await context.session.description();
    const today = now().toISOString().slice(0, 10);
    const system = systemPrompt({
      caller: context.caller,
      app: question.app,
      thinkMode: question.thinkMode,
      schema,
      today,
    });
    const progress: Progress = { conversationId, messageId: crypto.randomUUID(), steps: [], evidence: [], text: "" };
    const messages = [...messagesOf(before), { role: "user" as const, text: question.text }];
    const signal = AbortSignal.any([context.signal, AbortSignal.timeout(bounds.maxSeconds * 1_000)]);
    try {
      await converse({ system, messages, bounds, progress, context, signal });
    } catch (error) {
      throw timedOut(signal, context.signal) ? tooLong(bounds, error) : error;
    }
    const provenance = await provenanceFor(progress.evidence, context, graphs);
    const answer = snapshot(progress, context.mode, true, provenance);
    if (context.mode === "run") {
      await conversations.remember(key, [...before, { question: question.text, answer: answer.result }]);
    }
    return answer;
  };
}

const lastTurn = "\n\nThis is your last turn: answer now from what the tools have returned, and call no tool.";

interface Conversation {
  readonly system: string;
  readonly messages: readonly LlmMessage[];
  readonly bounds: AskLimits;
  readonly progress: Progress;
  readonly context: AskContext;
  readonly signal: AbortSignal;
}

async function converse({ system, messages, bounds, progress, context, signal }: Conversation): Promise<void> {
  const said: LlmMessage[] = [...messages];
  let tokens = 0;
  for (let step = 1; step <= bounds.maxSteps; step += 1) {
    progress.text = "";
    // Not by `tool_choice: none`, which few models know once a conversation has used tools.
    const told = step < bounds.maxSteps ? system : `${system}${lastTurn}`;
    const turn = turnOf(told, said, bounds.maxOutputTokens, progress, context);
    const reply = await context.llm(turn, signal);
    tokens += reply.usage.inputTokens + reply.usage.outputTokens;
    context.onEvent({ event: "model", ...reply.usage });
    progress.text = reply.text;
    if (reply.toolCalls.length === 0) return finish(reply, progress);
    said.push({ role: "assistant", text: reply.text, toolCalls: reply.toolCalls });
    said.push(...(await callTools(reply.toolCalls, progress, context)));
    if (context.mode === "check" && progress.evidence.length > 0) return;
    if (tokens > bounds.maxTokens) throw tooMuch(`more than ${bounds.maxTokens} tokens`);
    context.onProgress?.(() => snapshot(progress, context.mode, false));
  }
  throw tooMuch(`more than ${bounds.maxSteps} steps`);
}

function turnOf(
  system: string,
  messages: readonly LlmMessage[],
  maxOutputTokens: number,
  progress: Progress,
  context: AskContext,
): LlmTurn {
  const turn = { system, messages, tools: toolSpecs, maxOutputTokens };
  if (context.onProgress === undefined) return turn;
  return {
    ...turn,
    // A slow model shows life at once, and a refusal of the gateway still has its own status.
    onAccepted: () => context.onProgress?.(() => snapshot(progress, context.mode, false)),
    onText: (piece) => grow(progress, piece, context),
  };
}

function finish(reply: LlmReply, progress: Progress): void {
  if (reply.stop === "refused") progress.text ||= "The language model's guardrail stopped this answer.";
  if (reply.stop === "length") progress.text += "\n\n(The answer was cut at its length limit.)";
  if (progress.text.trim() === "")
    throw new HttpError(502, "llm_empty_answer", "The language model gave no answer; ask again.");
}

function grow(progress: Progress, piece: string, context: AskContext): void {
  progress.text += piece;
  context.onProgress?.(() => snapshot(progress, context.mode, false));
}

async function callTools(
  calls: readonly ToolCall[],
  progress: Progress,
  context: AskContext,
): Promise<readonly LlmMessage[]> {
  const run = calls.slice(0, maxCallsPerTurn).map((call) => runTool(call, context.session, context.mode));
  const outcomes = await Promise.all(run);
  return calls.map((call, index): LlmMessage => {
    const outcome = outcomes[index];
    if (outcome === undefined) {
      const content = JSON.stringify({ error: `At most ${maxCallsPerTurn} calls at once; this one was not made.` });
      return { role: "tool", callId: call.id, content, failed: true };
    }
    const result = outcome.failed ? "refused" : "ok";
    progress.steps.push({ tool: call.name, input: withoutQuery(call.input), outcome: result, rows: outcome.rows });
    if (outcome.evidence !== undefined) progress.evidence.push(outcome.evidence);
    const sparql = outcome.evidence?.sparql;
    context.onEvent({
      event: "query",
      tool: call.name,
      outcome: result,
      rows: outcome.rows,
      ...(sparql === undefined ? {} : { sparql }),
    });
    return { role: "tool", callId: call.id, content: outcome.content, failed: outcome.failed };
  });
}

function withoutQuery(input: unknown): unknown {
  if (typeof input !== "object" || input === null) return input ?? null;
  const { query: _, ...rest } = input as Record<string, unknown>;
  return rest;
}

/**
 * Where the things in the evidence come from; nothing to tell when it names none, or the graph does not say: the answer is
 * whole without, and paid for.
 */
async function provenanceFor(
  evidence: readonly Evidence[],
  { session, mode }: AskContext,
  described: ReadonlyMap<string, GraphDescription>,
): Promise<Provenance | undefined> {
  const table = proof(evidence)?.table;
  if (mode === "check" || table === undefined) return undefined;
  const sources = await session.sources(table).catch((error: unknown) => {
    if (error instanceof GraphError) return [];
    throw error;
  });
  return sources.length === 0 ? undefined : provenanceOf(sources, described);
}

function snapshot(progress: Progress, mode: ToolMode, complete: boolean, provenance?: Provenance): Answer {
  const actions: readonly Action[] = actionsOf(progress.evidence, progress.steps, provenance, complete);
  const result = mode === "check" ? (proof(progress.evidence)?.sparql ?? progress.text) : progress.text;
  return { result, conversation_id: progress.conversationId, message_id: progress.messageId, actions };
}

function timedOut(own: AbortSignal, outer: AbortSignal): boolean {
  return own.aborted && !outer.aborted;
}

function tooLong({ maxSeconds }: AskLimits, cause: unknown): HttpError {
  return new HttpError(504, "answer_timeout", `The answer took longer than ${maxSeconds} s; ask for less.`, { cause });
}

function tooMuch(what: string): HttpError {
  return new HttpError(422, "answer_bounds", `The question took ${what} and was stopped; ask something narrower.`);
}
