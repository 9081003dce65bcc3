import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { readConfig } from "./config.ts";
import { openStores } from "./stores.ts";

it("are opened side by side: a Redis that does not answer is waited for once", async () => {
  const asked = new Set<Socket>();
  // Takes connections and says nothing, so that each is given up after a while.
  const silent = createServer((socket) => asked.add(socket.on("error", () => {}))).listen(0, "127.0.0.1");
  await once(silent, "listening");
  const address = silent.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const dataDir = await mkdtemp(join(tmpdir(), "onbehalf-stores-"));
  const givenUp: Error[] = [];
  const config = configWith({ REDIS_URL: `redis://127.0.0.1:${port}`, ONBEHALF_DATA_DIR: dataDir });
  const opening = openStores(config, (error) => givenUp.push(error));
  onTestFinished(async () => {
    await (await opening).close();
    for (const socket of asked) socket.destroy();
    silent.close();
    await rm(dataDir, { recursive: true, force: true });
  });
  await expect.poll(() => asked.size, { timeout: 20_000, interval: 10 }).toBe(4);
  expect(givenUp).toEqual([]);
});

function configWith(env: Record<string, string>) {
  return readConfig({
    OKTA_DOMAIN: "your-domain.okta.com",
    OKTA_CLIENT_ID: "login",
    OKTA_CLIENT_SECRET: "login-secret",
    OKTA_AUTHORIZATION_SERVER_ID: "aus123",
    OKTA_AUTHORIZATION_SERVER_AUDIENCE: "voicebox",
    OKTA_BACKEND_CLIENT_ID: "backend",
    OKTA_BACKEND_CLIENT_SECRET: "backend-secret",
    VOICEBOX_SERVICE_ENDPOINT: "http://voicebox:8000",
    VOICEBOX_SERVICE_SCOPE: "voicebox",
    SESSION_SECRET: "0123456789abcdef0123456789abcdef",
    ...env,
  });
}
