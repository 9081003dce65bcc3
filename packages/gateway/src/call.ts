import type { ServerResponse } from "node:http";
import type { InterruptionSignal } from "@onbehalf/service-kit";
import type { GatewayError } from "./errors.ts";

/** What one LLM route does, in every dialect. */
export type Operation = "generate" | "embed" | "count_tokens";

/** The protocol a client speaks, by the route it calls. */
export type DialectName = "openai-chat" | "openai-responses" | "openai-embeddings" | "anthropic" | "bedrock";

/** What came in over HTTP, before any dialect has looked at it. */
export interface RawCall {
  /** Canonical path without query, for example `/v1/chat/completions`. */
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** One LLM call as the stages between dialect and upstream see it: enough to decide, limit and route. */
export interface LlmCall<Body = unknown> {
  readonly dialect: DialectName;
  readonly operation: Operation;
  /** The model as the client named it, and as answers name it again; decisions go by its name in `model_list`. */
  readonly model: string;
  readonly stream: boolean;
  /** Upper estimate, reserved against token limits before the call and settled by the real usage after it. */
  readonly estimate: { readonly inputTokens: number; readonly outputTokens: number };
  /** The dialect's own parsed body. */
  readonly body: Body;
  readonly raw: RawCall;
}

/** One way of speaking to the gateway. Pure: bytes in, call out; errors in, envelope out. */
export interface Dialect<Body = unknown> {
  readonly name: DialectName;
  /** @throws GatewayError `invalid_request` or `unsupported`, naming the field */
  parse(raw: RawCall): LlmCall<Body>;
  /** The whole error answer in the client's own form. */
  error(error: GatewayError, requestId: string): { status: number; headers: Record<string, string>; body: string };
}

/** Tokens by kind. `inputTokens` excludes what came from or went to the prompt cache. */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
  /** Part of cacheWriteTokens: what is kept for an hour instead of five minutes. Left out where there is none. */
  readonly cacheWriteHourTokens?: number;
  /** Part of outputTokens, where the upstream says so. */
  readonly reasoningTokens: number;
}

/** Of a call that nothing is known of, or that used nothing. */
export const noUsage: Usage = {
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  reasoningTokens: 0,
};

/** All tokens of a call, from the cache or not. */
export function tokensOf({ inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens }: Usage): number {
  return inputTokens + outputTokens + cacheReadTokens + cacheWriteTokens;
}

/** From verified claims only; what the upstream may be told about the user. */
export interface CallerTag {
  readonly userId: string;
  readonly subject: string;
  readonly issuer: string;
  readonly teamId: string | undefined;
  readonly clientId: string | undefined;
  readonly traceId: string;
  /** W3C Trace Context: where this call stands, for upstreams that go on with it. */
  readonly traceparent: string;
  /** The caller's verified token, for an upstream configured with a further exchange; never forwarded as it is. */
  readonly token: string | undefined;
  readonly expiresAt: number | undefined;
}

/** What forwarding has to know of the request besides the call itself. */
export interface ForwardContext {
  readonly caller: CallerTag;
  readonly requestId: string;
  /** Fires when the client is gone or the service's shutdown grace is over. */
  readonly signal: InterruptionSignal;
  /** Node's own response: the answer is written here, so that a stream costs no web-stream copy. */
  readonly outgoing: ServerResponse;
  /** Told before each attempt which deployment it is made at, as the record names it. */
  readonly attempting?: (providerModel: string) => void;
  /** Sent with the answer, whatever the dialect: request ids, rate-limit headers. */
  readonly headers: Readonly<Record<string, string>>;
}

/** How a forwarded call ended; resolved when the last byte was written or the client had left. */
export interface Settlement {
  readonly outcome: "ok" | "error" | "aborted";
  readonly status: number;
  readonly errorCode: string | undefined;
  /** The deployment that answered, for example `bedrock/anthropic.claude-sonnet-4-5`. */
  readonly providerModel: string | undefined;
  readonly usage: Usage | undefined;
  /** True when the upstream's own count never came and `usage` is an estimate; the row's `detail` says so. */
  readonly usageEstimated?: boolean;
  /** Milliseconds to the first byte sent to the client. */
  readonly firstTokenMs: number | undefined;
}

/**
 * Route, translate, upstream, answer. Once bytes were written it resolves with what happened; before that it throws,
 * and the pipeline answers in the dialect's envelope.
 * @throws GatewayError
 */
export type Forward = (call: LlmCall, context: ForwardContext) => Promise<Settlement>;
