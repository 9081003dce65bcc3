import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { startRedis } from "./redis.ts";
import { converse } from "./scratch-server.ts";

const ping = (port: number) => converse(port, "PING\r\n", "+PONG");

test("a test's own server answers, can be away for a while, and leaves nothing", async () => {
  const redis = await startRedis();
  expect(existsSync(redis.folder)).toBe(true);
  await ping(redis.port);
  await redis.down();
  await expect(ping(redis.port)).rejects.toThrow();
  await redis.up();
  await ping(redis.port);
  await redis.stop();
  await expect(ping(redis.port)).rejects.toThrow();
  expect(existsSync(redis.folder)).toBe(false);
});

test("it ends and cleans up when the test run is killed", async () => {
  const script = `import { startRedis } from ${JSON.stringify(new URL("./redis.ts", import.meta.url).href)};
    const { port, folder } = await startRedis(); console.log(JSON.stringify({ port, folder })); setInterval(() => {}, 1_000);`;
  const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(child.stdout, "data");
  const { port, folder } = JSON.parse(String(line));
  await ping(port);
  child.kill("SIGKILL");
  await once(child, "exit");
  await expect.poll(() => reachable(port), { timeout: 10_000 }).toBe(false);
  await expect.poll(() => existsSync(folder), { timeout: 10_000 }).toBe(false);
});

async function reachable(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  const reached = await once(socket, "connect").then(
    () => true,
    () => false,
  );
  socket.destroy();
  return reached;
}
