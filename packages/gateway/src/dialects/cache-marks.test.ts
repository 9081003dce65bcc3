import { describe, expect, it } from "vitest";
import { messagesBody } from "../upstreams/anthropic/request.ts";
import { messagesConversation } from "./anthropic/request.ts";
import { converseConversation } from "./bedrock/request.ts";
import { chatConversation } from "./openai-chat/request.ts";

const cache_control = { type: "ephemeral" };
const point = { cachePoint: { type: "default" } };
const text = (said: string, more: object = { cache_control }) => ({ type: "text", text: said, ...more });
const thought = { type: "thinking", thinking: "Hm.", signature: "c2ln" };
const reasoningContent = { reasoningText: { text: "Hm.", signature: "c2ln" } };
const chat = (...messages: unknown[]) => chatConversation({ messages });
const claude = (...messages: unknown[]) => messagesConversation({ messages, max_tokens: 9 });
const user = { role: "user", content: "Hi" };
const asked = { role: "user", content: [{ text: "Hi" }] };

describe("a cache mark stands behind something that can be marked, once", () => {
  it.each([
    ["a blank part", chat({ role: "user", content: [text(" "), text("Hi", {})] }), [asked]],
    [
      "a blank message",
      chat(user, { role: "assistant", content: "", cache_control }, user),
      [{ ...asked, content: [{ text: "Hi" }, { text: "Hi" }] }],
    ],
    [
      "a part and its message",
      chat({ role: "user", content: [text("Hi")], cache_control }),
      [{ ...asked, content: [{ text: "Hi" }, point] }],
    ],
    [
      "a blank part behind one that is marked",
      chat({ role: "user", content: [text("Hi"), text("")] }),
      [{ ...asked, content: [{ text: "Hi" }, point] }],
    ],
    [
      "a message of nothing but thoughts",
      chat(user, { role: "assistant", content: "", thinking_blocks: [thought], cache_control }, user),
      [asked, { role: "assistant", content: [{ reasoningContent }] }, asked],
    ],
    ["an empty block", claude({ role: "user", content: [text(""), text("Hi", {})] }), [asked]],
    [
      "an empty block behind thoughts",
      claude(user, { role: "assistant", content: [thought, text("")] }, user),
      [asked, { role: "assistant", content: [{ reasoningContent }] }, asked],
    ],
  ])("%s", (_, { messages }, expected) => {
    expect(messages).toEqual(expected);
  });

  it("in a system prompt, too", () => {
    const blank = { role: "system", content: [text("")], cache_control };
    const { system } = chat(blank, { role: "system", content: [text("Be brief.")], cache_control }, blank, user);
    expect(system).toEqual([{ text: "Be brief." }, point]);
  });

  it("goes to Anthropic on no thought, which has no place for it", () => {
    const said = { role: "assistant", content: [{ reasoningContent }, point, { text: "Hello." }, point] };
    const { messages } = JSON.parse(
      messagesBody(converseConversation({ messages: [asked, said, asked] }), "claude-sonnet-4-5", false),
    );
    expect(messages[1].content).toEqual([thought, text("Hello.")]);
  });
});
