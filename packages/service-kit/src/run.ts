import type { Env } from "./config/env.ts";
import { ConfigError } from "./config/problems.ts";
import { describeError } from "./log.ts";
import { mask } from "./mask.ts";
import type { Service, Start } from "./service.ts";

/** EX_CONFIG of sysexits.h. */
const exitConfig = 78;

/** One Ctrl-C arrives several times: from the terminal, and from each package manager in between. */
const echoMs = 500;

/**
 * The body of each `main.ts`: starts the service, lets it drain on SIGTERM or SIGINT and exits 0. A configuration
 * that cannot be used is printed whole, exit 78. A second signal exits at once.
 */
export async function runMain(start: Start, env: Env): Promise<void> {
  process.on("uncaughtException", (error) => fail("stopped by an error nobody caught", error));
  process.on("unhandledRejection", (error) => fail("stopped by a rejection nobody caught", error));
  try {
    const service = await start(env);
    closeOnSignal(service);
  } catch (error) {
    if (error instanceof ConfigError) exit(exitConfig, mask(error.message));
    else fail("could not start", error);
  }
}

function closeOnSignal(service: Service): void {
  let firstAt: number | undefined;
  const onSignal = (): void => {
    if (firstAt !== undefined) {
      if (performance.now() - firstAt > echoMs) exit(1, "stopped by a second signal before everything had ended");
      return;
    }
    firstAt = performance.now();
    service.close().then(
      () => exit(0),
      (error: unknown) => fail("did not stop cleanly", error),
    );
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
}

function fail(what: string, error: unknown): void {
  exit(1, mask(JSON.stringify({ level: "fatal", msg: what, err: describeError(error) })));
}

function exit(code: number, message?: string): void {
  if (message !== undefined) process.stderr.write(`${message}\n`);
  process.exit(code);
}
