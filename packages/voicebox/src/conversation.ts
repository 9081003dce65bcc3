import { createHash } from "node:crypto";
import type { KeyValueStore } from "@onbehalf/service-kit";
import { z } from "zod";
import type { LlmMessage } from "./llm/turn.ts";

/** One question that was answered. */
export interface Exchanged {
  readonly question: string;
  readonly answer: string;
}

/** What was said before, for one user of one application. */
export interface Conversations {
  /** The turns of a conversation, oldest first; none for one that is unknown, over, or somebody else's. */
  recall(key: ConversationKey): Promise<readonly Exchanged[]>;
  remember(key: ConversationKey, turns: readonly Exchanged[]): Promise<void>;
}

/** The id alone opens nothing: the owner and the application are part of the key. */
export interface ConversationKey {
  readonly owner: readonly [issuer: string, subject: string];
  readonly app: string;
  readonly id: string;
}

const maxTurns = 8;
const maxAnswerLength = 2_000;
const schema = z.array(z.object({ question: z.string(), answer: z.string() }));

interface ConversationOptions {
  readonly store: KeyValueStore;
  /** How long a conversation is kept after its last question. */
  readonly ttlSeconds: number;
  /** Told when the store fails: a question can be answered without what was said before. */
  readonly onFailure: (error: unknown) => void;
}

/** What was said stays with the person who said it; a store that is away costs the memory, not the answer. */
export function createConversations({ store, ttlSeconds, onFailure }: ConversationOptions): Conversations {
  return {
    async recall(key) {
      const kept = await store.get(storeKey(key)).catch((error: unknown) => void onFailure(error));
      if (kept === undefined) return [];
      const parsed = schema.safeParse(JSON.parse(kept));
      return parsed.success ? parsed.data : [];
    },
    async remember(key, turns) {
      const bounded = turns
        .slice(-maxTurns)
        .map(({ question, answer }) => ({ question, answer: answer.slice(0, maxAnswerLength) }));
      await store.set(storeKey(key), JSON.stringify(bounded), { ttlSeconds }).catch(onFailure);
    },
  };
}

/** A digest of length-prefixed fields: no choice of one field can look like another. */
function storeKey({ owner, app, id }: ConversationKey): string {
  const fields = [...owner, app, id].map((field) => `${Buffer.byteLength(field)}:${field}`).join("");
  return `conversation:${createHash("sha256").update(fields).digest("base64url")}`;
}

/** As the model gets them, before the new question. */
export function messagesOf(turns: readonly Exchanged[]): readonly LlmMessage[] {
  return turns.flatMap(({ question, answer }): LlmMessage[] => [
    { role: "user", text: question },
    { role: "assistant", text: answer, toolCalls: [] },
  ]);
}
