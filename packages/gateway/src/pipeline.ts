import type { Handler } from "hono";
import type { StageContext, StageEnv } from "./stages.ts";

/** What is left to do when the request has ended, however it ended. */
export type Afterwards = () => void;

/**
 * One stage: looks, sets what it found out, or throws. It waits only where it has to, because every wait costs a turn
 * of the loop for every request.
 */
export type Step = (c: StageContext) => Afterwards | undefined | Promise<Afterwards | undefined>;

/** The stages one after another, then the answer. */
export function pipeline(
  steps: readonly Step[],
  answer: (c: StageContext) => Response | Promise<Response>,
): Handler<StageEnv> {
  return async (c) => {
    const afterwards: Afterwards[] = [];
    try {
      for (const step of steps) {
        const outcome = step(c);
        const after = outcome instanceof Promise ? await outcome : outcome;
        if (after !== undefined) afterwards.push(after);
      }
      return await answer(c);
    } finally {
      for (const after of afterwards) after();
    }
  };
}
