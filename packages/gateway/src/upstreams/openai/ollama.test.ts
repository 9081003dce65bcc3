import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startForwarding } from "../../forward-testing.ts";

let asked = "";
const server = createServer(async (request, response) => {
  asked = await text(request);
  response.setHeader("content-type", "application/json");
  // As Ollama 0.17.4 answers.
  response.end(
    '{"id":"chatcmpl-321","object":"chat.completion","created":1795372850,"model":"say","system_fingerprint":"fp_ollama","choices":[{"index":0,"message":{"role":"assistant","content":"Hello from Ollama."},"finish_reason":"stop"}],"usage":{"prompt_tokens":13,"completion_tokens":5,"total_tokens":18}}\n',
  );
});

let gateway: Awaited<ReturnType<typeof startForwarding>>;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const api_base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  gateway = await startForwarding({
    bedrockUrl: api_base,
    models: ["ollama", "ollama_chat", "openai"].map((prefix) => ({
      model_name: prefix === "openai" ? "say-elsewhere" : prefix,
      litellm_params: { model: `${prefix}/say`, api_base, api_key: "ollama" },
    })),
    router: { num_retries: 0 },
  });
});
afterAll(async () => {
  await gateway.close();
  server.closeAllConnections();
  server.close();
});

const messages = [{ role: "user", content: "Hi" }];
const parameters = { type: "object", properties: { city: { type: "string" } } };
const tools = [{ type: "function", function: { name: "get_weather", parameters } }];

async function sent(path: string, body: object) {
  const response = await fetch(gateway.url + path, { method: "POST", body: JSON.stringify(body) });
  expect(response.status, await response.text()).toBe(200);
  return JSON.parse(asked);
}

it.each(["ollama", "ollama_chat"])("the limit reaches it as %s/ by the name that it knows", async (model) => {
  expect(await sent("/v1/chat/completions", { model, messages, max_completion_tokens: 2 })).toMatchObject({
    max_tokens: 2,
  });
  expect(
    await sent("/v1/chat/completions", { model, messages, max_completion_tokens: 2, max_tokens: 9 }),
  ).toMatchObject({ max_tokens: 2 });
});

it("tools that are not to be called are not told: it knows no tool_choice, and would call them", async () => {
  const chat = { model: "ollama_chat", messages, tools, tool_choice: "none" };
  expect(await sent("/v1/chat/completions", chat)).not.toHaveProperty("tools");
  expect(await sent("/v1/chat/completions", { ...chat, tool_choice: "auto" })).toMatchObject({ tools });
  const claude = {
    model: "ollama_chat",
    messages,
    max_tokens: 9,
    tools: [{ name: "get_weather", input_schema: parameters }],
  };
  expect(await sent("/v1/messages", { ...claude, tool_choice: { type: "none" } })).not.toHaveProperty("tools");
  expect(await sent("/v1/messages", { ...claude, tool_choice: { type: "auto" } })).toMatchObject({ tools });
});

it("a developer's instructions are the system's: its templates know no other", async () => {
  const developer = { role: "developer", content: "Be short." };
  expect(
    (await sent("/v1/chat/completions", { model: "ollama", messages: [developer, ...messages] })).messages,
  ).toEqual([{ role: "system", content: "Be short." }, ...messages]);
});

it("everything else passes as it came, and to other servers that too", async () => {
  const body = { messages, tools, tool_choice: "none", max_completion_tokens: 2 };
  expect(await sent("/v1/chat/completions", { ...body, model: "say-elsewhere" })).toEqual({ ...body, model: "say" });
  const plain = { messages, tools, tool_choice: "required", max_tokens: 2, seed: 1, unheard_of: true };
  expect(await sent("/v1/chat/completions", { ...plain, model: "ollama" })).toEqual({ ...plain, model: "say" });
});
