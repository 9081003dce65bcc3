import type { Handler, MiddlewareHandler } from "hono";
import type { StageContext, StageEnv } from "./stages.ts";

/** What is left to do when the request has ended, however it ended. */
export type Afterwards = () => void;

/**
 * One stage: looks, sets what it found out, or throws. It waits only where it has to, because every wait costs a turn
 * of the loop for every request.
 */
export type Step = (c: StageContext) => Afterwards | undefined | Promise<Afterwards | undefined>;

/** Puts what a stage threw into the client's words. */
export type OnError = (error: Error, c: StageContext) => Response | Promise<Response>;

/**
 * The stages one after another, then the answer; what they left to do is done in reverse when it has been given. The
 * same as nested middleware, without a promise and a closure for each.
 */
export function pipeline(
  steps: readonly Step[],
  answer: (c: StageContext) => Response | Promise<Response>,
  onError: OnError,
): Handler<StageEnv> {
  return (c) => run(c, steps, answer, onError);
}

/** Stages around whatever Hono finds for a request. */
export function surrounding(steps: readonly Step[], onError: OnError): MiddlewareHandler<StageEnv> {
  return async (c, next) => {
    await run(c, steps, () => next().then(() => c.res), onError);
  };
}

async function run(
  c: StageContext,
  steps: readonly Step[],
  last: (c: StageContext) => Response | Promise<Response>,
  onError: OnError,
): Promise<Response> {
  const afterwards: Afterwards[] = [];
  try {
    for (const step of steps) {
      const outcome = step(c);
      const after = outcome instanceof Promise ? await outcome : outcome;
      if (after !== undefined) afterwards.push(after);
    }
    return await last(c);
  } catch (error) {
    c.res = await onError(error instanceof Error ? error : new Error("something else than an error was thrown"), c);
    return c.res;
  } finally {
    for (let index = afterwards.length - 1; index >= 0; index -= 1) afterwards[index]?.();
  }
}
