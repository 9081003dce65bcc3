import type { Deployment } from "../../deployments.ts";
import { isObject, type JsonObject } from "../../dialects/body.ts";
import type { Conversation } from "../../dialects/conversation.ts";

const usualUrl = "http://localhost:11434";

/** LiteLLM's two names for Ollama are two routes of Ollama's own; here both mean the one that it has of OpenAI's. */
export function isOllama({ params }: Deployment): boolean {
  return params.model.startsWith("ollama/") || params.model.startsWith("ollama_chat/");
}

/** LiteLLM's `api_base` is where Ollama's own language is spoken; OpenAI's is below it, at /v1. */
export function ollamaUrl(apiBase = usualUrl): string {
  const { origin, pathname } = new URL(apiBase);
  const path = pathname.replace(/\/+$/, "");
  return origin + (path.endsWith("/v1") ? path : `${path}/v1`);
}

/**
 * A chat completion's body in words that Ollama has. What it has none for it passes over in silence: an answer without the
 * limit that was set, calls that were forbidden, and no word of a developer's instructions in the prompt.
 * @returns the same object when nothing needs other words
 */
export function ollamaBody(body: JsonObject): JsonObject {
  const { max_completion_tokens: limit, tool_choice: choice, tools, messages } = body;
  const changed = {
    ...(limit == null ? {} : { max_tokens: limit }),
    // undefined is left out of JSON.
    ...(choice === "none" && tools != null ? { tools: undefined } : {}),
    ...(Array.isArray(messages) && messages.some(isDeveloper) ? { messages: messages.map(asSystem) } : {}),
  };
  return Object.keys(changed).length === 0 ? body : { ...body, ...changed };
}

/** Tools that are not to be called are not told at all. */
export function ollamaConversation(conversation: Conversation): Conversation {
  const { toolChoice } = conversation;
  return toolChoice !== undefined && "none" in toolChoice ? { ...conversation, tools: [] } : conversation;
}

function isDeveloper(message: unknown): boolean {
  return isObject(message) && message.role === "developer";
}

function asSystem(message: unknown): unknown {
  return isObject(message) && isDeveloper(message) ? { ...message, role: "system" } : message;
}
