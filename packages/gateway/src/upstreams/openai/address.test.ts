import { expect, it } from "vitest";
import { deploymentsOf } from "../../deployments.ts";
import { testCaller } from "../../forward-testing.ts";
import type { Exchange } from "../exchange.ts";
import type { Outgoing } from "../upstream.ts";
import { createOpenaiUpstream } from "./index.ts";

const exchange = { path: "/chat/completions", headers: {} } as unknown as Exchange;

function addressOf(litellm_params: { model: string; api_base?: string }) {
  const [deployment] = deploymentsOf([{ model_name: "m", litellm_params }]);
  return createOpenaiUpstream(() => undefined).address(exchange, {
    deployment,
    caller: testCaller,
  } as unknown as Outgoing);
}

it.each([
  [{ model: "openai/gpt-5" }, "https://api.openai.com/v1/chat/completions"],
  [{ model: "openai/x", api_base: "http://vllm:8000/v1/" }, "http://vllm:8000/v1/chat/completions"],
  [{ model: "hosted_vllm/x", api_base: "http://vllm:8000/v1" }, "http://vllm:8000/v1/chat/completions"],
  [{ model: "ollama_chat/llama3" }, "http://localhost:11434/v1/chat/completions"],
  [{ model: "ollama_chat/llama3", api_base: "http://ollama:11434" }, "http://ollama:11434/v1/chat/completions"],
  [{ model: "ollama_chat/llama3", api_base: "http://ollama:11434/v1" }, "http://ollama:11434/v1/chat/completions"],
  [{ model: "ollama_chat/llama3", api_base: "https://gpu/ollama/" }, "https://gpu/ollama/v1/chat/completions"],
  [{ model: "ollama/llama3" }, "http://localhost:11434/v1/chat/completions"],
  [{ model: "ollama/llama3:8b", api_base: "http://ollama:11434" }, "http://ollama:11434/v1/chat/completions"],
])("%j is called at %s", async (params, url) => {
  const { origin, path } = await addressOf(params);
  expect(origin + path).toBe(url);
});

it.each(["hosted_vllm/x", "openai_like/x"])("%s without an address is not called at OpenAI's", async (model) => {
  await expect(addressOf({ model })).rejects.toMatchObject({
    code: "upstream_denied",
    cause: `'${model}' has no api_base`,
  });
});
