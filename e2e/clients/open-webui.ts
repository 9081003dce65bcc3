import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { walkSignIn } from "@onbehalf/sandbox/token";
import { freePort } from "@onbehalf/service-kit/testing";
import type { Chain } from "../chain.ts";
import { createChecks, must } from "./check.ts";
import { pythonHome } from "./python.ts";
import { requestLogs } from "./rows.ts";

export interface OpenWebUiRun {
  readonly chain: Chain;
  /** Where virtual environments are kept. */
  readonly environments: string;
  /** For what Open WebUI writes; it goes when the run ends. */
  readonly folder: string;
  readonly print: (line: string) => void;
}

/** How long the first start may take: it makes its database and loads much. */
const startSeconds = 180;
const model = "claude-sonnet-4-5";
/** A name every user is shown, allowed or not, by the second connection. */
const listedForAll = "fixed.claude-haiku-4-5";

/** Starts Open WebUI, signs people in by OpenID Connect and chats with the token it forwards. @returns whether all held */
export async function openWebUi({ chain, environments, folder, print }: OpenWebUiRun): Promise<boolean> {
  print("preparing requirements-open-webui.txt (7 GB at the first time)");
  const home = await pythonHome(environments, "requirements-open-webui.txt");
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const data = join(folder, "open-webui");
  mkdirSync(data);
  const args = ["serve", "--host", "127.0.0.1", "--port", String(port)];
  const child = spawn(home.program("open-webui"), args, {
    cwd: data,
    env: settings(chain, url, data),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes: Buffer) => (output += bytes.toString()));
  try {
    await started(url, () => child.exitCode === null);
    return await checks(chain, url, print);
  } catch (error) {
    print(`FAILED  open-webui: ${String(error)}\n${output.slice(-3000)}`);
    return false;
  } finally {
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  }
}

/** What an operator sets; the last group keeps it from reaching out. */
function settings({ urls }: Chain, url: string, data: string): NodeJS.ProcessEnv {
  const { PATH = "" } = process.env;
  const connection = { enable: true, auth_type: "system_oauth" };
  const second = { ...connection, prefix_id: "fixed", model_ids: ["claude-haiku-4-5"] };
  return {
    PATH,
    HOME: data,
    DATA_DIR: data,
    WEBUI_URL: url,
    WEBUI_SECRET_KEY: "a-secret-of-this-run-that-is-long-enough",
    OPENAI_API_BASE_URLS: `${urls.gateway}/v1;${urls.gateway}/v1`,
    OPENAI_API_KEYS: "none;none",
    OPENAI_API_CONFIGS: JSON.stringify({ 0: connection, 1: second }),
    ENABLE_OLLAMA_API: "false",
    BYPASS_MODEL_ACCESS_CONTROL: "true",
    OPENID_PROVIDER_URL: `${urls.identityProvider}/oauth2/default/.well-known/openid-configuration`,
    OAUTH_CLIENT_ID: "open-webui",
    OAUTH_CLIENT_SECRET: "open-webui-secret",
    OAUTH_CODE_CHALLENGE_METHOD: "S256",
    OAUTH_SCOPES: "openid email profile groups offline_access llm-gateway",
    ENABLE_OAUTH_SIGNUP: "true",
    ENABLE_LOGIN_FORM: "false",
    DEFAULT_USER_ROLE: "user",
    OFFLINE_MODE: "true",
    HF_HUB_OFFLINE: "1",
    RAG_EMBEDDING_ENGINE: "openai",
    ENABLE_VERSION_UPDATE_CHECK: "false",
    ANONYMIZED_TELEMETRY: "false",
    DO_NOT_TRACK: "true",
  };
}

async function started(url: string, alive: () => boolean): Promise<void> {
  for (let second = 0; second < startSeconds && alive(); second += 1) {
    const healthy = await fetch(`${url}/health`).then(
      (response) => response.ok,
      () => false,
    );
    if (healthy) return;
    await sleep(1000);
  }
  throw new Error(alive() ? `it was not up after ${startSeconds} s` : "it ended while it started");
}

async function checks(chain: Chain, url: string, print: (line: string) => void): Promise<boolean> {
  const { check, held } = createChecks("open-webui", print);
  // The first to come is made its administrator, so that is not alice.
  await visit(url, "carol");
  const [alice, bob, mallory] = [await visit(url, "alice"), await visit(url, "bob"), await visit(url, "mallory")];

  await check("alice is signed in by the identity provider", async () => {
    const me = (await (await alice("/api/v1/auths/")).json()) as Record<string, unknown>;
    must(me.email === "alice@example.com" && me.role === "user", me);
  });
  await check("alice and bob are each shown the models they may use", async () => {
    const [hers, his] = [await models(alice), await models(bob)];
    must(hers.includes(model) && !hers.includes("llama-3-3-70b"), hers);
    must(his.includes(model) && his.includes("llama-3-3-70b"), his);
  });
  await check("alice chats", async () => {
    const answer = await chat(alice, model, false);
    const body = await answer.text();
    must(answer.status === 200 && body.includes("stand-in"), body);
  });
  await check("alice chats, streamed", async () => {
    const answer = await chat(alice, model, true);
    const body = await answer.text();
    const chunks = body.split("\n").filter((line) => line.startsWith("data: {"));
    must(answer.status === 200 && chunks.length > 3 && body.includes("[DONE]"), body);
  });
  await check("the gateway's rows name alice, with a token of Open WebUI's own client", async () => {
    const rows = (await requestLogs(chain, "alice")).filter((row) => row.client_id === "open-webui");
    const chats = rows.filter((row) => row.route === "POST /v1/chat/completions");
    must(chats.length === 2 && chats.some((row) => row.stream) && chats.some((row) => !row.stream), chats);
    for (const row of rows) must(row.user_id === "alice@example.com" && row.outcome === "ok", row);
    for (const row of chats) must(row.credential === "jwt" && row.model === model && Number(row.tokens) > 0, row);
    must(
      rows.some((row) => row.route === "GET /v1/models"),
      rows,
    );
  });
  await check("mallory is told in words that she may not, and it is on record", async () => {
    const answer = await chat(mallory, listedForAll, false);
    const body = await answer.text();
    must(answer.status === 403 && body.includes("group"), `${answer.status} ${body}`);
    const rows = (await requestLogs(chain, "mallory")).filter((row) => row.client_id === "open-webui");
    must(
      rows.some((row) => row.route === "POST /v1/chat/completions" && row.outcome === "denied"),
      rows,
    );
  });
  return held();
}

type Visitor = (path: string, body?: unknown) => Promise<Response>;

/** Somebody's browser after the login: through Open WebUI to the identity provider and back. */
async function visit(url: string, user: string): Promise<Visitor> {
  const cookies = new Map<string, string>();
  const cookie = (): string => [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  const callback = await walkSignIn(
    new URL(`${url}/oauth/oidc/login`),
    `${url}/oauth/oidc/callback`,
    { user },
    cookies,
  );
  const answer = await fetch(callback, { redirect: "manual", headers: { cookie: cookie() } });
  for (const line of answer.headers.getSetCookie()) {
    const [, name = "", value = ""] = /^([^=;]+)=([^;]*)/.exec(line) ?? [];
    cookies.set(name, value);
  }
  must(cookies.has("token"), `${user} was not let in: ${answer.status} ${answer.headers.get("location")}`);
  return (path, body) =>
    fetch(url + path, {
      headers: {
        authorization: `Bearer ${cookies.get("token")}`,
        cookie: cookie(),
        "content-type": "application/json",
      },
      ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
    });
}

async function models(visitor: Visitor): Promise<string[]> {
  const { data } = (await (await visitor("/api/models")).json()) as { data: { id: string }[] };
  return data.map(({ id }) => id);
}

const chat = (visitor: Visitor, name: string, stream: boolean): Promise<Response> =>
  visitor("/api/chat/completions", { model: name, stream, messages: [{ role: "user", content: "Say hello." }] });
