import type { Usage } from "../call.ts";
import type { GatewayError } from "../errors.ts";
import type { JsonObject } from "./body.ts";
import type { FieldNames } from "./field-names.ts";

/**
 * The one conversation in the middle, shaped like Bedrock's Converse because that is the richest. Each dialect turns
 * its request into it, each upstream turns it into its own request; binary content is base64 text throughout.
 */
export interface Conversation {
  readonly system: readonly SystemBlock[];
  readonly messages: readonly Message[];
  readonly inferenceConfig: InferenceConfig;
  readonly tools: readonly Tool[];
  readonly toolChoice?: ToolChoice | undefined;
  readonly outputFormat?: OutputFormat | undefined;
  readonly serviceTier?: string | undefined;
  /** Sent by the client for its own bookkeeping; AWS gets what it allows of it. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly wishes: Wishes;
  /** What the client calls its fields, where it is not as chat completions do: a refusal names the client's. */
  readonly names?: FieldNames | undefined;
  /** Where the client asks for citations: a provider that cites nothing refuses them by this path. */
  readonly citationsAt?: string | undefined;
  /** Converse's own fields that have no counterpart elsewhere; only a Bedrock upstream can honour them. */
  readonly bedrock?: Readonly<Record<string, unknown>> | undefined;
}

/** What every model knows, by Converse's names; the rest are wishes. */
export interface InferenceConfig {
  /** Tokens of output, those of reasoning among them. */
  readonly maxTokens?: number | undefined;
  readonly temperature?: number | undefined;
  readonly topP?: number | undefined;
  readonly stopSequences?: readonly string[] | undefined;
}

/** What model families word differently; the upstream puts it in the family's words or refuses it by name. */
export interface Wishes {
  readonly reasoningEffort?: string | undefined;
  /** The effort is what the client's protocol does when it names none: not worth a refusal by a model that has no efforts. */
  readonly usualEffort?: boolean | undefined;
  /** Tokens the model may think, where the client counts them itself. */
  readonly thinkingBudget?: number | undefined;
  /** The model is to think as much as it sees fit; it asks for nothing of one that cannot. */
  readonly adaptiveThinking?: boolean | undefined;
  readonly parallelToolCalls?: boolean | undefined;
  readonly topK?: number | undefined;
}

/** What stands before it may be kept by the provider, and read again at a lower price. */
export interface CachePoint {
  readonly cachePoint: { readonly type: "default"; readonly ttl?: string };
}

/** A part of the instructions, which come before all messages. */
export type SystemBlock = { readonly text: string } | CachePoint;

/** One turn; what the system says stands apart, in blocks of its own. */
export interface Message {
  readonly role: "user" | "assistant";
  readonly content: readonly ContentBlock[];
}

/** A part of a message, of one kind: the one member names it. */
export type ContentBlock =
  /** With citations in an answer only. */
  | { readonly text: string; readonly citations?: readonly Citation[] }
  | { readonly image: { readonly format: string; readonly source: Source } }
  | { readonly document: Document }
  | { readonly searchResult: SearchResult }
  | { readonly toolUse: { readonly toolUseId: string; readonly name: string; readonly input: unknown } }
  | { readonly toolResult: ToolResult }
  | { readonly reasoningContent: Reasoning }
  | CachePoint;

/** Text may be in parts, by which it is cited. */
export type Source =
  | { readonly bytes: string }
  | { readonly text: string }
  | { readonly content: readonly { readonly text: string }[] };

/** A file to read, by Converse's name of its format. */
export interface Document {
  readonly format: string;
  readonly name: string;
  readonly source: Source;
  /** What the model is told of it besides, and does not cite. */
  readonly context?: string | undefined;
  readonly citations?: { readonly enabled: boolean } | undefined;
}

/** A find that the model may cite. */
export interface SearchResult {
  /** Where it was found. */
  readonly source: string;
  readonly title: string;
  readonly content: readonly { readonly text: string }[];
  readonly citations?: { readonly enabled: boolean } | undefined;
}

/** What a text stands on, as Converse says it. */
export interface Citation {
  readonly title?: string | undefined;
  readonly source?: string | undefined;
  readonly sourceContent: readonly { readonly text: string }[];
  readonly location: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** What a tool gave; `toolUseId` says which call it answers. */
export interface ToolResult {
  readonly toolUseId: string;
  readonly content: readonly ToolResultBlock[];
  readonly status?: "success" | "error";
}

/** A part of it; JSON stays JSON where the upstream has a word for it. */
export type ToolResultBlock =
  | { readonly text: string }
  | { readonly json: unknown }
  | { readonly image: { readonly format: string; readonly source: Source } }
  | { readonly document: Document }
  | { readonly searchResult: SearchResult };

/**
 * What the model thought. A signature proves it when it is sent back; redacted, it is readable for the provider only.
 */
export type Reasoning =
  | { readonly reasoningText: { readonly text: string; readonly signature?: string } }
  | { readonly redactedContent: string };

/** What the model may call, or a mark for the provider's cache. */
export type Tool =
  | {
      readonly toolSpec: {
        readonly name: string;
        readonly description?: string;
        readonly inputSchema: { readonly json: JsonObject };
        readonly strict?: boolean;
      };
    }
  | CachePoint;

/** Whether it may, must or must not call one. */
export type ToolChoice =
  | { readonly auto: object }
  | { readonly any: object }
  | { readonly tool: { readonly name: string } }
  | { readonly none: object };

/** The answer's text is to be JSON: any, or by a schema. */
export type OutputFormat =
  | { readonly type: "json" }
  | {
      readonly type: "json_schema";
      readonly name?: string;
      readonly description?: string;
      readonly schema: JsonObject;
      /** Undefined in protocols that hold the model to every schema, and have no such field. */
      readonly strict?: boolean | undefined;
    };

/** Why the model stopped, in Converse's words. */
export type StopReason =
  | "end_turn"
  | "tool_use"
  | "max_tokens"
  | "stop_sequence"
  | "guardrail_intervened"
  | "content_filtered"
  | "malformed_model_output"
  | "malformed_tool_use"
  | "model_context_window_exceeded";

/** A whole answer. */
export interface Answer {
  readonly content: readonly ContentBlock[];
  readonly stopReason: string;
  readonly stopSequence?: string | undefined;
  readonly usage: Usage;
}

/**
 * An answer as it comes. Blocks are numbered as upstream numbered them, and come one after another. A writer is told an
 * input for every call, and of none that is empty.
 */
export interface AnswerSink {
  start(): void;
  text(block: number, text: string): void;
  /** Of the text so far; dialects that cannot ask for any have no word for it. */
  citation?(block: number, citation: Citation): void;
  reasoning(block: number, text: string): void;
  signature(block: number, signature: string): void;
  redacted(block: number, data: string): void;
  toolStart(block: number, id: string, name: string): void;
  toolInput(block: number, json: string): void;
  blockStop(block: number): void;
  stop(reason: string, sequence?: string): void;
  usage(usage: Usage): void;
  fail(error: GatewayError): void;
}
