import { findProgram } from "./programs.ts";
import { converse, type ScratchServer, startScratch } from "./scratch-server.ts";

export interface RedisServer extends ScratchServer {
  readonly url: string;
}

/** A Redis of the test's own, empty, keeping nothing on disk. */
export async function startRedis(): Promise<RedisServer> {
  const program = findProgram("redis");
  if (program === undefined) throw new Error("redis-server is not installed: apt-get install redis-server");
  const server = await startScratch({
    name: "redis",
    command: (port) => [program, "--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
    probe: (port) => converse(port, "PING\r\n", "+PONG"),
  });
  return { ...server, url: `redis://127.0.0.1:${server.port}` };
}
