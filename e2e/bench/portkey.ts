import { dirname } from "node:path";
import { freePort } from "@onbehalf/service-kit/testing";
import { asking, type Contestant, plainModels } from "./contestants.ts";
import { type Running, serverOf } from "./processes.ts";

/** The version the figures in docs/performance.md are of. */
const version = "1.15.2";

/** npx fetches it first. */
const readyMs = 180_000;

/** Portkey's gateway on the same two ways: to Bedrock, and to a provider that speaks OpenAI's words itself. */
export async function startPortkey(provider: Running, core: number | undefined): Promise<Contestant[]> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const server = await serverOf({
    name: "portkey",
    core,
    command: ["npx", "--yes", `@portkey-ai/gateway@${version}`, "--headless", `--port=${port}`],
    // npx may need a proxy's variables; and the Node of everything else measured here, not the one it would find.
    env: { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH ?? ""}`, NODE_ENV: "production" },
    url,
    readyMs,
  });
  const toBedrock = asking({
    url: () => url,
    models: { plain: "amazon.nova-bench-v1:0", paced: "amazon.nova-paced-v1:0" },
    headers: {
      "x-portkey-provider": "bedrock",
      "x-portkey-custom-host": provider.url,
      "x-portkey-aws-access-key-id": "AKIDBENCH",
      "x-portkey-aws-secret-access-key": "bench-secret",
      "x-portkey-aws-region": "us-east-1",
    },
  });
  const toOpenAi = asking({
    url: () => url,
    models: plainModels,
    headers: {
      "x-portkey-provider": "openai",
      "x-portkey-custom-host": `${provider.url}/v1`,
      authorization: "Bearer bench-secret",
    },
  });
  // On Node 26 its streams from OpenAI are answered with 500: it writes to headers of `fetch` that are immutable there.
  return [
    { name: `Portkey → Bedrock`, server, ask: toBedrock, warmsUp: true },
    { name: `Portkey → OpenAI`, server, ask: toOpenAi, warmsUp: true, without: "stream" },
  ];
}
