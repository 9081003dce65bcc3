import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openSetup } from "./setup.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "setup-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("tells the log which secrets the file brings along, by reference or as they are", async () => {
  const path = join(folder, "vbx-config.json");
  const to = (auth: object) => ({ type: "sparql", url: "http://localhost:1/query", auth });
  const connections = {
    basic: to({ type: "basic", username: "reader", password: "os.environ/GRAPH_PASSWORD" }),
    bearer: to({ type: "bearer", token: "a-token-of-its-own" }),
    exchanged: to({ type: "token_exchange", audience: "graph" }),
    open: to({ type: "none" }),
  };
  const llm = { llm_provider: "openai", llm_name: "gpt-4o", server_url: "https://gateway.example.com/v1" };
  writeFileSync(path, JSON.stringify({ default_llm_config: llm, connections }));
  const hidden: string[] = [];
  const setup = await openSetup(path, { GRAPH_PASSWORD: "a-password-by-name" }, (secrets) => hidden.push(...secrets));
  await setup.close();
  expect(hidden).toEqual(["a-password-by-name", "a-token-of-its-own"]);
});
