import { once } from "node:events";
import { createServer } from "node:net";
import { ConfigError, type ConfigProblem } from "@onbehalf/service-kit";

const variables = [
  "LAUNCHPAD_PORT",
  "VOICEBOX_PORT",
  "GATEWAY_PORT",
  "SANDBOX_IDP_PORT",
  "SANDBOX_BEDROCK_PORT",
] as const;

type Places = Readonly<Record<(typeof variables)[number], number>> & { readonly HOST: string };

/**
 * A part that is started says so of its own port only, and a person would meet them one by one. Whatever else may be wrong
 * with an address is left to that part.
 * @throws ConfigError naming every port that is taken, by another program or by another part
 */
export async function refuseTakenPorts(places: Places): Promise<void> {
  const problems: ConfigProblem[] = [];
  for (const [index, name] of variables.entries()) {
    const port = places[name];
    const other = variables.slice(0, index).find((earlier) => places[earlier] === port);
    if (other !== undefined) {
      problems.push({ name, problem: `is ${port}, as ${other} is; choose another port for one of them` });
      continue;
    }
    if (!(await isTaken(places.HOST, port))) continue;
    problems.push({ name, problem: `port ${port} on ${places.HOST} is taken by another program; choose another port` });
  }
  if (problems.length > 0) throw new ConfigError(problems);
}

async function isTaken(host: string, port: number): Promise<boolean> {
  const server = createServer().listen(port, host);
  try {
    await once(server, "listening");
    server.close();
    await once(server, "close");
    return false;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EADDRINUSE";
  }
}
