import { memoryStore } from "@onbehalf/service-kit";
import { describe, expect, it } from "vitest";
import { type ConversationKey, createConversations, messagesOf } from "./conversation.ts";

const key = (over: Partial<ConversationKey> = {}): ConversationKey => ({
  owner: ["http://idp", "alice"],
  app: "sales",
  id: "1",
  ...over,
});
const turns = [{ question: "Who is Bob?", answer: "A data engineer." }];

function conversations(now: () => number = () => 0) {
  const failures: unknown[] = [];
  const store = memoryStore({ maxEntries: 100, now });
  return {
    store,
    failures,
    ...createConversations({ store, ttlSeconds: 60, onFailure: (error) => failures.push(error) }),
  };
}

describe("what was said before", () => {
  it("is remembered for the same user, application and conversation", async () => {
    const { remember, recall } = conversations();
    await remember(key(), turns);
    expect(await recall(key())).toEqual(turns);
  });

  it.each<[string, Partial<ConversationKey>]>([
    ["another subject", { owner: ["http://idp", "bob"] }],
    ["the same subject of another issuer", { owner: ["http://other", "alice"] }],
    ["another application", { app: "support" }],
    ["another conversation", { id: "2" }],
    ["fields shifted into each other", { owner: ["http://idpa", "lice"] }],
    ["a field made of two", { owner: ["http://idp", "alicesales"], app: "" }],
  ])("is nothing to %s", async (_, other) => {
    const { remember, recall } = conversations();
    await remember(key(), turns);
    expect(await recall(key(other))).toEqual([]);
  });

  it("is forgotten after its time", async () => {
    let now = 1_000;
    const { remember, recall } = conversations(() => now);
    await remember(key(), turns);
    now = 60_000;
    expect(await recall(key())).toHaveLength(1);
    now = 62_000;
    expect(await recall(key())).toEqual([]);
  });

  it("is bounded in turns and in length", async () => {
    const { remember, recall } = conversations();
    const many = Array.from({ length: 30 }, (_, n) => ({ question: `${n}`, answer: "x".repeat(50_000) }));
    await remember(key(), many);
    const kept = await recall(key());
    expect(kept.map(({ question }) => question)).toEqual(["22", "23", "24", "25", "26", "27", "28", "29"]);
    expect(kept[0]?.answer).toHaveLength(2_000);
  });

  it("is done without when the store fails or holds something else", async () => {
    const { store, failures, recall } = conversations();
    const broken = createConversations({
      store: { ...store, get: () => Promise.reject(new Error("down")), set: () => Promise.reject(new Error("down")) },
      ttlSeconds: 60,
      onFailure: (error) => failures.push(error),
    });
    expect(await broken.recall(key())).toEqual([]);
    await broken.remember(key(), turns);
    expect(failures).toHaveLength(2);
    const odd = createConversations({
      store: { ...store, get: async () => '{"a":1}' },
      ttlSeconds: 60,
      onFailure: () => undefined,
    });
    expect(await odd.recall(key())).toEqual([]);
    expect(await recall(key())).toEqual([]);
  });

  it("goes to the model as turns", () => {
    expect(messagesOf(turns)).toEqual([
      { role: "user", text: "Who is Bob?" },
      { role: "assistant", text: "A data engineer.", toolCalls: [] },
    ]);
  });
});
