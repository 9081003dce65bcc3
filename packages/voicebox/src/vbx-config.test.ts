import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadVbxConfig } from "./vbx-config.ts";

let folder: string;
let path: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "vbx-"));
  path = join(folder, "vbx-config.json");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const llm = { llm_provider: "openai", llm_name: "gpt-4o", server_url: "https://gateway.example.com/v1/" };
async function load(config: unknown, env: Record<string, string> = {}) {
  await writeFile(path, typeof config === "string" ? config : JSON.stringify(config));
  return loadVbxConfig(path, env);
}
const problemsOf = (config: unknown, env?: Record<string, string>): Promise<string> =>
  load(config, env).then(
    () => "loaded",
    (error: Error) => error.message,
  );

describe("vbx-config.json", () => {
  it("is read as the Okta guide shows it", async () => {
    const config = await load({
      enable_external_llm: true,
      default_llm_config: { ...llm, provider_args: { headers: { "X-Custom-Header": "value" } } },
    });
    expect(config).toMatchObject({
      enable_external_llm: true,
      default_llm_config: { llm_name: "gpt-4o", provider_args: { headers: { "X-Custom-Header": "value" } } },
    });
  });

  it("needs no more than its short form", async () => {
    expect(await load({ default_llm_config: llm })).toMatchObject({
      enable_external_llm: true,
      connections: {},
      default_llm_config: { provider_args: { headers: {} } },
    });
  });

  it("takes values from variables and paths from its own folder", async () => {
    const files = ["graph/a.ttl", { path: "/data/b.nt", graph: "urn:b" }];
    const config = await load(
      {
        default_llm_config: { ...llm, server_url: "os.environ/GATEWAY" },
        connections: { demo: { type: "embedded", files } },
      },
      { GATEWAY: "http://localhost:4000" },
    );
    expect(config.default_llm_config.server_url).toBe("http://localhost:4000");
    expect(config.connections.demo).toMatchObject({
      files: [{ path: join(folder, "graph/a.ttl") }, { path: "/data/b.nt", graph: "urn:b" }],
    });
  });

  it.each<[string, unknown, RegExp]>([
    [
      "a misspelt key at the top",
      { default_llm_config: llm, enable_external_lm: true },
      /enable_external_lm: unknown key; did you mean "enable_external_llm"/,
    ],
    [
      "a misspelt key within",
      { default_llm_config: { ...llm, llm_nam: "x" } },
      /default_llm_config\.llm_nam: unknown key; did you mean "llm_name"/,
    ],
    [
      "an unknown provider",
      { default_llm_config: { ...llm, llm_provider: "azure" } },
      /llm_provider: expected one of openai, anthropic, bedrock/,
    ],
    ["no URL", { default_llm_config: { ...llm, server_url: "gateway" } }, /server_url: expected an http/],
    [
      "a URL with a password",
      { default_llm_config: { ...llm, server_url: "https://u:p@gateway" } },
      /server_url: expected an http/,
    ],
    [
      "a variable that is not set",
      { default_llm_config: { ...llm, server_url: "os.environ/NOWHERE" } },
      /stands for the variable NOWHERE, which is not set/,
    ],
    [
      "a header of ours",
      { default_llm_config: { ...llm, provider_args: { headers: { Authorization: "Bearer x" } } } },
      /Authorization: is written by Voicebox itself/,
    ],
    [
      "a header with a line end",
      { default_llm_config: { ...llm, provider_args: { headers: { "X-A": "a\r\nb" } } } },
      /X-A: has a value with characters/,
    ],
    [
      "a header without a name",
      { default_llm_config: { ...llm, provider_args: { headers: { "X A": "a" } } } },
      /X A: is not a header name/,
    ],
    [
      "a connection of another type",
      { default_llm_config: llm, connections: { a: { type: "sql" } } },
      /connections\.a/,
    ],
    [
      "a connection without files",
      { default_llm_config: llm, connections: { a: { type: "embedded", files: [] } } },
      /connections\.a\.files/,
    ],
    [
      "a default connection that is none",
      { default_llm_config: llm, default_connection: "b" },
      /default_connection: names no connection/,
    ],
    ["no JSON", "{", /is not JSON/],
  ])("refuses %s", async (_, config, message) => {
    expect(await problemsOf(config)).toMatch(message);
  });

  it("says everything at once", async () => {
    const message = await problemsOf({
      default_llm_config: { llm_provider: "azure", server_url: "x" },
      conections: {},
    });
    expect(message).toMatch(/llm_provider[\s\S]*llm_name|llm_name[\s\S]*llm_provider/);
    expect(message).toMatch(/server_url/);
    expect(message).toMatch(/did you mean "connections"/);
  });
});
