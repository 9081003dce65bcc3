import { within } from "@onbehalf/service-kit";
import { GatewayError } from "../../errors.ts";
import type { AwsCredentials } from "./signer.ts";

/** Credentials and their end, in milliseconds since the epoch; those that name none are good until AWS says otherwise. */
export interface Lent {
  readonly credentials: AwsCredentials;
  readonly endsAt: number | undefined;
}

/** Renewed this long before their end, while calls still go out with the ones there are. */
const renewBeforeMs = 5 * 60_000;
/** A call that is signed now arrives within this time. */
const arrivalMs = 30_000;
/** Between two attempts to renew what is still good. */
const restMs = 10_000;
/** For one attempt with all that its client repeats by itself. */
const attemptMs = 15_000;

interface RenewingOptions {
  readonly wallMs?: () => number;
  readonly attemptMs?: number;
}

/**
 * Keeps credentials good: one attempt at a time for all who wait, and nobody waits while there are some that still hold.
 * A source that fails before their end fails no call.
 * @param fetch rejects with the GatewayError of the calls that wait for it
 */
export function createRenewing(fetch: () => Promise<Lent>, options: RenewingOptions = {}) {
  const { wallMs = Date.now, attemptMs: longestMs = attemptMs } = options;
  let kept: Lent | undefined;
  let running: Promise<AwsCredentials> | undefined;
  let restsUntil = 0;

  const attempt = async (): Promise<AwsCredentials> => {
    try {
      kept = await inTime(longestMs, fetch());
      return kept.credentials;
    } finally {
      running = undefined;
      restsUntil = wallMs() + restMs;
    }
  };
  const renew = (): Promise<AwsCredentials> => {
    running ??= attempt();
    return running;
  };
  return {
    get(): AwsCredentials | Promise<AwsCredentials> {
      if (kept === undefined) return renew();
      if (kept.endsAt === undefined) return kept.credentials;
      const now = wallMs();
      if (now < kept.endsAt - renewBeforeMs) return kept.credentials;
      if (now >= kept.endsAt - arrivalMs) return renew();
      if (now >= restsUntil) renew().catch(stillGood);
      return kept.credentials;
    },
    /** They are no good any more, whatever their end says. */
    forget(): void {
      kept = undefined;
    },
  };
}

function stillGood(): void {}

/** A source that does not answer must not hold up those who wait for ever. */
function inTime<Value>(ms: number, promise: Promise<Value>): Promise<Value> {
  return within(promise, ms, () => {
    const cause = `no AWS credentials within ${ms / 1000} s`;
    const message = "AWS gives the gateway no credentials. Try again.";
    return Promise.reject(new GatewayError("upstream_unavailable", message, { cause }));
  });
}
