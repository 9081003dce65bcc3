import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

/** Below the ports that systems give to outgoing connections (32768 and up), so that none of those takes it meanwhile. */
const [lowest, highest] = [10_240, 32_000];
const maxTries = 100;

/**
 * A port that is free now and stays so unless another program asks for this very one: for programs that cannot choose
 * one themselves. Drawn at random, so that tests that run side by side do not meet.
 */
export async function freePort(host = "127.0.0.1"): Promise<number> {
  for (let attempt = 0; attempt < maxTries; attempt += 1) {
    const port = randomInt(lowest, highest);
    if (await isFree(port, host)) return port;
  }
  throw new Error(`no free port on ${host} in ${maxTries} tries`);
}

async function isFree(port: number, host: string): Promise<boolean> {
  const server = createServer().listen(port, host);
  try {
    await once(server, "listening");
  } catch {
    return false; // taken
  }
  server.close();
  await once(server, "close");
  return true;
}
