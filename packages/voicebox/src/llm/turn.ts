/** A conversation with a model as Voicebox holds it, whatever wire carries it. */
export type LlmMessage =
  | { readonly role: "user"; readonly text: string }
  | { readonly role: "assistant"; readonly text: string; readonly toolCalls: readonly ToolCall[] }
  | { readonly role: "tool"; readonly callId: string; readonly content: string; readonly failed: boolean };

/** The model asks for a tool; `id` is how the result is told to it. */
export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** What the model gave; undefined when it was not JSON. */
  readonly input: unknown;
}

/** A tool as the model is told of it. */
export interface ToolSpec {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the input. */
  readonly inputSchema: Readonly<Record<string, unknown>>;
}

/** One question to a model, whatever its protocol. */
export interface LlmTurn {
  readonly system: string;
  readonly messages: readonly LlmMessage[];
  /** What the model may call. */
  readonly tools: readonly ToolSpec[];
  readonly maxOutputTokens: number;
  /** When given, the answer is streamed and each piece of text handed over as it comes. */
  readonly onText?: ((piece: string) => void) | undefined;
  /** With `onText`: told once the gateway has accepted the request, before there is anything to read. */
  readonly onAccepted?: (() => void) | undefined;
}

/** What the model said, whole. */
export interface LlmReply {
  readonly text: string;
  readonly toolCalls: readonly ToolCall[];
  readonly usage: { readonly inputTokens: number; readonly outputTokens: number };
  /** `length`: the output limit was reached; `refused`: a guardrail stopped it. */
  readonly stop: "end" | "tools" | "length" | "refused";
}

/** What goes along with a turn besides the conversation. */
export interface LlmDelivery {
  /** Bearer token for the gateway. */
  readonly token: string;
  /** Trace and configured headers. */
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/**
 * One way of speaking to the gateway.
 * @throws LlmFailure
 */
export type LlmWire = (turn: LlmTurn, delivery: LlmDelivery) => Promise<LlmReply>;

/** The gateway's answer when it was not the one asked for. */
export class LlmFailure extends Error {
  override readonly name = "LlmFailure";
  /** HTTP status; undefined when there was no answer at all. */
  readonly status: number | undefined;
  readonly retryAfterSeconds: number | undefined;
  /** WWW-Authenticate as it came, for a step-up. */
  readonly challenge: string | undefined;

  /** @param message the gateway's own words, which are written for the caller */
  constructor(
    message: string,
    details: {
      readonly status?: number | undefined;
      readonly retryAfterSeconds?: number | undefined;
      readonly challenge?: string | undefined;
      readonly cause?: unknown;
    },
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.status = details.status;
    this.retryAfterSeconds = details.retryAfterSeconds;
    this.challenge = details.challenge;
  }
}
