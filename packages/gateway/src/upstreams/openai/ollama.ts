import type { Deployment } from "../../deployments.ts";

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
