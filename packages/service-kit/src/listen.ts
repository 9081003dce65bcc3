import { once } from "node:events";
import type { Server } from "node:http";
import { ConfigError, type ConfigProblem } from "./config/problems.ts";

/** Where to listen. */
export interface Address {
  readonly host: string;
  readonly port: number;
  /** The variable that sets the port: named when it is taken. */
  readonly portVariable: string;
  /** Several processes on one port; the system deals out connections. */
  readonly reusePort?: boolean | undefined;
}

/**
 * Binds the address and says in words what is wrong with it.
 * @returns the port, also when any free one was asked for
 * @throws ConfigError naming the variable
 */
export async function listen(server: Server, address: Address): Promise<number> {
  server.listen({ port: address.port, host: address.host, reusePort: address.reusePort === true });
  try {
    await once(server, "listening");
  } catch (error) {
    throw new ConfigError([problemOf(error, address)], { cause: error });
  }
  const bound = server.address();
  return typeof bound === "object" && bound !== null ? bound.port : address.port;
}

function problemOf(error: unknown, { host, port, portVariable }: Address): ConfigProblem {
  const code = error instanceof Error && "code" in error ? String(error.code) : "unknown reason";
  switch (code) {
    case "EADDRINUSE":
      return {
        name: portVariable,
        problem: `port ${port} on ${host} is taken by another program; choose another port`,
      };
    case "EACCES":
      return {
        name: portVariable,
        problem: `port ${port} needs privileges this process does not have; choose one above 1023`,
      };
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return {
        name: "HOST",
        problem: `${JSON.stringify(host)} is no address of this machine; use 127.0.0.1 or 0.0.0.0`,
      };
    default:
      return { name: portVariable, problem: `cannot listen on ${host} port ${port} (${code})` };
  }
}
