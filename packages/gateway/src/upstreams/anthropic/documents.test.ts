import { afterAll, beforeAll, expect, it } from "vitest";
import { startForwarding } from "../../forward-testing.ts";

let gateway: Awaited<ReturnType<typeof startForwarding>>;
beforeAll(async () => {
  const params = { model: "anthropic/claude-sonnet-4-5", api_base: "http://127.0.0.1:9", api_key: "k" };
  gateway = await startForwarding({ models: [{ model_name: "m", litellm_params: params }] });
});
afterAll(() => gateway.close());

const data = Buffer.from("PK a letter").toString("base64");
const word = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
const file = { filename: "letter.docx", file_data: `data:${word};base64,${data}` };
const system = { role: "system", content: "Be brief." };
const text = { type: "text", text: "Sum it up." };
const letter = { document: { format: "docx", name: "letter", source: { bytes: data } } };
const call = { toolUse: { toolUseId: "t1", name: "read", input: {} } };
const tools = [{ toolSpec: { name: "read", inputSchema: { json: { type: "object" } } } }];

it.each<[string, object, string]>([
  [
    "/v1/chat/completions",
    { model: "m", messages: [system, { role: "user", content: [text, { type: "file", file }] }] },
    "messages[1].content[1].file.file_data",
  ],
  [
    "/v1/responses",
    { model: "m", input: [{ role: "user", content: [{ type: "input_file", ...file }] }] },
    "input[0].content[0].file_data",
  ],
  [
    "/model/m/converse",
    { messages: [{ role: "user", content: [{ text: "Sum it up." }, letter] }] },
    "messages[0].content[1].document.source.bytes",
  ],
  [
    "/model/m/converse",
    {
      toolConfig: { tools },
      messages: [
        { role: "user", content: [{ text: "Read it." }] },
        { role: "assistant", content: [call] },
        { role: "user", content: [{ toolResult: { toolUseId: "t1", content: [letter] } }] },
      ],
    },
    "messages[2].content[0].toolResult.content[0].document.source.bytes",
  ],
])("a file that Anthropic does not read is refused by where it stands: %s", async (path, body, param) => {
  const before = gateway.failures.length;
  const answer = await fetch(gateway.url + path, { method: "POST", body: JSON.stringify(body) });
  expect(answer.status).toBe(400);
  expect(await answer.text()).toContain(`'${param}' is not supported here`);
  expect(gateway.failures.slice(before)).toMatchObject([{ code: "unsupported", param }]);
});
