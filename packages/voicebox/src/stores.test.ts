import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { loadConfig } from "./config.ts";
import { openStores } from "./stores.ts";

it("are opened side by side: a Redis that does not answer is waited for once", async () => {
  const asked = new Set<Socket>();
  // Takes connections and says nothing, so that each is given up after two seconds.
  const silent = createServer((socket) => asked.add(socket.on("error", () => {}))).listen(0, "127.0.0.1");
  await once(silent, "listening");
  const address = silent.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const opening = openStores(
    loadConfig({
      REQUIRE_JWT_AUTH: "false",
      LLM_API_KEY: "a-key-of-this-test",
      VBX_CONFIG: "unread.json",
      REDIS_URL: `redis://127.0.0.1:${port}`,
      ENCRYPTION_SECRET: "0123456789abcdef0123456789abcdef",
    }),
  );
  onTestFinished(async () => {
    await (await opening).close();
    for (const socket of asked) socket.destroy();
    silent.close();
  });
  // Before the first is.
  await expect.poll(() => asked.size, { timeout: 1_800, interval: 10 }).toBe(2);
});
