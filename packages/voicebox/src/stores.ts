import { type KeyValueStore, memoryStore, redisStore, redisTokenStore } from "@onbehalf/service-kit";
import type { TokenStore } from "@onbehalf/shared-auth";
import type { Config } from "./config.ts";

/** Where conversations and exchanged tokens are kept: in Redis for several replicas, else in this process. */
export interface Stores {
  readonly conversations: KeyValueStore;
  /** Undefined: the token cache keeps its own, in memory. */
  readonly tokens: TokenStore | undefined;
  /** Rejects while a store cannot be reached. */
  ready(): Promise<void>;
  close(): Promise<void>;
}

const maxConversations = 10_000;

/** In Redis, shared and sealed, or in this process. */
export async function openStores({ redis }: Config): Promise<Stores> {
  if (redis === undefined) {
    const conversations = memoryStore({ maxEntries: maxConversations });
    return { conversations, tokens: undefined, ready: () => conversations.ready(), close: () => conversations.close() };
  }
  // Side by side: each waits a while for a Redis that is away.
  const [conversations, tokens] = await Promise.all([
    redisStore({ ...redis, prefix: "voicebox:conversation" }),
    redisTokenStore({ ...redis, prefix: "voicebox:token" }),
  ]);
  return {
    conversations,
    tokens,
    async ready() {
      await Promise.all([conversations.ready(), tokens.ready()]);
    },
    async close() {
      await Promise.all([conversations.close(), tokens.close()]);
    },
  };
}
