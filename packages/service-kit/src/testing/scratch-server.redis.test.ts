import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { startRedis } from "./redis.ts";
import { converse } from "./scratch-server.ts";

const ping = (port: number) => converse(port, "PING\r\n", "+PONG");
const folders = () => readdirSync(tmpdir()).filter((name) => name.startsWith("onbehalf-redis-"));

test("a test's own server answers, can be away for a while, and leaves nothing", async () => {
  const before = folders();
  const redis = await startRedis();
  expect(folders().length).toBe(before.length + 1);
  await ping(redis.port);
  await redis.down();
  await expect(ping(redis.port)).rejects.toThrow();
  await redis.up();
  await ping(redis.port);
  await redis.stop();
  await expect(ping(redis.port)).rejects.toThrow();
  expect(folders()).toEqual(before);
});

test("it ends and cleans up when the test run is killed", async () => {
  const before = folders();
  const script = `import { startRedis } from ${JSON.stringify(new URL("./redis.ts", import.meta.url).href)};
    console.log((await startRedis()).port); setInterval(() => {}, 1_000);`;
  const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(child.stdout, "data");
  const port = Number(String(line));
  await ping(port);
  child.kill("SIGKILL");
  await once(child, "exit");
  await expect.poll(() => reachable(port), { timeout: 10_000 }).toBe(false);
  await expect.poll(folders, { timeout: 10_000 }).toEqual(before);
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
