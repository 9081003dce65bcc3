import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Env } from "@onbehalf/service-kit";
import { captureLogs } from "@onbehalf/service-kit/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { start } from "../start.ts";
import { masterKey, startTestGateway, type TestGateway } from "../testing/gateway.ts";
import { createProgram } from "./program.ts";

/** As somebody runs it beside a gateway: the data folder and nothing else is known. */
let gateway: TestGateway;
let bare: Env;
beforeAll(async () => {
  gateway = await startTestGateway();
  bare = { ONBEHALF_DATA_DIR: gateway.dataDir };
});
afterAll(() => gateway.close());

async function run(env: Env, ...args: string[]) {
  const lines: string[] = [];
  let code = 0;
  const setExitCode = (value: number) => {
    code = value;
  };
  const io = { print: (text: string) => void lines.push(text), write: () => {}, setExitCode };
  await createProgram(env, io).parseAsync(["node", "gateway", ...args]);
  return { text: lines.join("\n"), code };
}

test("the record is verified by the data folder alone", async () => {
  await gateway.chat(await gateway.token());
  expect(await gateway.gateway.flush(10_000)).toBe(true);
  const { text, code } = await run(bare, "audit", "verify");
  expect(text).toMatch(/^[1-9]\d* rows? of 1 writer: intact$/);
  expect(code).toBe(0);
});

test("a key hashed under another pepper is not made: it would never work", async () => {
  const problem = /LITELLM_SALT_KEY: is not what the gateway on this database was started with/;
  await expect(run(bare, "keys", "generate", "--alias", "lost")).rejects.toThrow(problem);
  await expect(run(bare, "keys", "info", `sk-${"x".repeat(43)}`)).rejects.toThrow(problem);
  expect((await run(bare, "keys", "list")).text).not.toContain("lost");
});

test("with the pepper left in the data folder a key is made, works, and list and info and HTTP tell of one spend", async () => {
  writeFileSync(join(gateway.dataDir, "gateway-key-pepper"), `${gateway.env.LITELLM_SALT_KEY}\n`, { mode: 0o600 });
  const budget = ["--budget", "5", "--budget-duration", "1d"];
  const made = JSON.parse((await run(bare, "keys", "generate", "--alias", "cli", ...budget)).text);
  const unlimited = JSON.parse((await run(bare, "keys", "generate", "--alias", "free")).text);
  for (const { key } of [made, unlimited]) expect((await gateway.chat(key)).status).toBe(200);
  expect(await gateway.gateway.flush(10_000)).toBe(true);
  const listed: { key_alias: string; spend: number }[] = JSON.parse((await run(bare, "keys", "list")).text);
  const overHttp = await gateway.call("/key/list?return_full_object=true", { token: masterKey });
  for (const alias of ["cli", "free"]) {
    const info = JSON.parse((await run(bare, "keys", "info", alias)).text);
    expect(info.spend).toBeGreaterThan(0);
    expect(listed.find((key) => key.key_alias === alias)).toEqual(info);
    expect(overHttp.json.keys).toContainEqual(info);
    expect((await gateway.call(`/key/info?key=${alias}`, { token: masterKey })).json.info).toEqual(info);
  }
  expect((await run(bare, "keys", "info", made.key)).text).toContain(made.token_id);
});

test("without anybody to let in a configuration is not usable, though there is nothing wrong with administering", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "gateway-commands-"));
  const env = { ONBEHALF_DATA_DIR: dataDir };
  try {
    await expect(run(env, "config", "check")).rejects.toThrow(/nobody could call this gateway/);
    expect((await run(env, "keys", "list")).text).toBe("[]");
    expect(statSync(join(dataDir, "gateway.sqlite")).mode & 0o777).toBe(0o600);
  } finally {
    rmSync(dataDir, { recursive: true });
  }
});

const issuer = "https://example.okta.com/oauth2/default";
const who = `issuers: [{ issuer: "${issuer}", audience: llm-gateway }]\n`;
const named = (model: string) => `model_list: [{ model_name: claude, litellm_params: { model: "${model}" } }]\n`;
const signIn = `sign_in: { issuer: "${issuer}", client_id: claude-code }\n`;
const publicUrl = { PUBLIC_URL: "https://gateway.example.com" };
const empty = "warning: model_list is empty: nothing can be asked, and /system/ready is 503";
const unset = "warning: model_list: 'os.environ/NO_SUCH_MODEL' refers to the environment variable NO_SUCH_MODEL";
const address = "warning: sign_in needs PUBLIC_URL";

test.each([
  ["nothing to warn of", who + named("bedrock/x") + signIn, publicUrl, [], "usable. models: claude"],
  ["no model", who, {}, [empty], "starts, and is never ready. models: none"],
  ["no model that can be used", who + named("os.environ/NO_SUCH_MODEL"), {}, [unset], "starts, and is never ready."],
  ["a sign-in at no address", who + named("bedrock/x") + signIn, {}, [address], "usable. models: claude"],
])("a configuration with %s is told as what it is, at the start too", async (_, yaml, more, warnings, verdict) => {
  const folder = mkdtempSync(join(tmpdir(), "gateway-check-"));
  const env = { GATEWAY_CONFIG: join(folder, "gateway.yaml"), ONBEHALF_DATA_DIR: folder, GATEWAY_PORT: "0", ...more };
  try {
    writeFileSync(env.GATEWAY_CONFIG, yaml);
    const lines = (await run(env, "config", "check")).text.split("\n");
    expect(lines).toEqual([...warnings, verdict].map((text) => expect.stringContaining(text)));
    const logs = captureLogs();
    await (await start(env, { destination: logs.destination })).close();
    for (const warning of warnings) expect(logs.text()).toContain(warning.replace("warning: ", ""));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** Last: the database keeps the newest pepper. */
test("a gateway that starts with another pepper than before says why it knows no key", async () => {
  const { dataDir, issuer, upstream } = gateway;
  const said = "is another than before: no key made under that one is known here";
  for (const [salt, warned] of [
    [gateway.env.LITELLM_SALT_KEY, false],
    ["another-pepper-than-the-first", true],
  ] as const) {
    const next = await startTestGateway({ dataDir, issuer, upstream, env: { LITELLM_SALT_KEY: salt } });
    expect(next.logs.text().includes(said), salt).toBe(warned);
    await next.close();
  }
});
