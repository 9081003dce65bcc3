import type { Adapter } from "oidc-provider";
import type { CodeGuesses } from "./code-guesses.ts";
import { errors } from "./library.ts";

/** With 20^8 codes there are, and the guesses an issuer takes while one lives, to hit any is a matter of 1 in 77,000. */
export const maxWaitingCodes = 1000;

interface DeviceBounds {
  readonly guesses: CodeGuesses;
  /** How many codes wait to be entered. */
  readonly waiting: () => number;
}

/**
 * Storage of device codes, which may not be guessed without end (RFC 8628, section 5.1) nor asked for without end. Here
 * and not before the pages, as there is no way past it.
 */
export function withDeviceBounds(storage: Adapter, { guesses, waiting }: DeviceBounds): Adapter {
  return {
    ...storage,
    upsert: async (id, payload, expiresIn) => {
      if (waiting() >= maxWaitingCodes && (await storage.find(id)) === undefined) {
        throw refusal(
          "temporarily_unavailable",
          503,
          "too many device codes wait to be entered; try again in a minute",
        );
      }
      await storage.upsert(id, payload, expiresIn);
    },
    findByUserCode: async (userCode) => {
      const takeBack = guesses.begin(Date.now());
      if (takeBack === undefined) throw refusal(tooManyGuesses, 429, "too many wrong codes; try again in a minute");
      const found = await storage.findByUserCode(userCode);
      if (found !== undefined) takeBack();
      return found;
    },
  };
}

export const tooManyGuesses = "slow_down";

function refusal(error: string, status: number, description: string): Error {
  return Object.assign(new errors.CustomOIDCProviderError(error, description), { status, statusCode: status });
}
