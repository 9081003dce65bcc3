/** A content block as Bedrock's Converse puts it on the wire (binary fields are base64 text). */
export interface ConverseBlock {
  readonly text?: string;
  readonly image?: unknown;
  readonly document?: { readonly name?: string };
  readonly toolUse?: { readonly toolUseId: string; readonly name: string; readonly input: unknown };
  readonly toolResult?: {
    readonly toolUseId: string;
    readonly status?: string;
    readonly content: readonly {
      readonly text?: string;
      readonly json?: unknown;
      readonly document?: { readonly name?: string };
    }[];
  };
  readonly reasoningContent?: { readonly reasoningText?: { readonly text: string; readonly signature?: string } };
  readonly cachePoint?: unknown;
}

/** A message as it arrives at the stand-in, in Converse's shape. */
export interface ConverseMessage {
  readonly role: "user" | "assistant";
  readonly content: readonly ConverseBlock[];
}

/** What the stand-in was asked, the same for every operation and model family. */
export interface Turn {
  readonly system: string;
  readonly messages: readonly ConverseMessage[];
  readonly tools: readonly { readonly name: string; readonly inputSchema: unknown }[];
  readonly model: string;
  /** A tool must be called: this one, or whichever when no name is given. */
  readonly forced?: { readonly name?: string };
}

/** What a rule answers; the stand-in makes the model's own protocol of it. */
export interface Reply {
  readonly text?: string;
  readonly toolUses?: readonly { readonly name: string; readonly input: unknown }[];
  readonly reasoning?: string;
  /** Overrides what follows from the content; in Converse's words. */
  readonly stopReason?: string;
}

/** Answers a turn it knows, or leaves it to the next rule. */
export type Rule = (turn: Turn) => Reply | undefined;

/** The first rule that knows the turn answers; else the stand-in says what it is. */
export function replyTo(rules: readonly Rule[], turn: Turn): Reply {
  for (const rule of rules) {
    const reply = rule(turn);
    if (reply !== undefined) return reply;
  }
  return sayStandIn(turn);
}

/** The text of the newest user message, tool results left out. */
export function lastUserText(turn: Turn): string {
  const message = turn.messages.findLast((candidate) => candidate.role === "user");
  return (message?.content ?? [])
    .map((block) => block.text ?? "")
    .filter((text) => text !== "")
    .join("\n");
}

/** The last text of the newest user message, which is what a person said where a client says things of its own before it. */
export function newestText(turn: Turn): string {
  const message = turn.messages.findLast(({ role }) => role === "user");
  return message?.content.findLast(({ text }) => text !== undefined && text.trim() !== "")?.text ?? "";
}

/** What it thinks where it was asked to and the rule has no thoughts. */
export const standInThought = "The stand-in thinks about it.";

const quotedCharacters = 200;

function sayStandIn(turn: Turn): Reply {
  const said = newestText(turn).slice(0, quotedCharacters);
  return {
    text: `This is the sandbox's stand-in for Bedrock, not a model: it answers by rule and has none for this. You said: “${said}”`,
  };
}
