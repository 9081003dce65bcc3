import { HttpError, type TrailHop } from "@onbehalf/service-kit";
import type { Context } from "hono";
import { z } from "zod";
import type { Reader } from "../caller.ts";
import { mergeHops } from "../trail.ts";
import type { TrailStore } from "../trail-store.ts";
import type { Voicebox } from "../voicebox.ts";
import type { ApiEnv, Credentials } from "./credentials.ts";
import { callOf, sendOnBehalf } from "./on-behalf.ts";

interface HopsOptions {
  readonly credentials: Credentials;
  readonly voicebox: Voicebox;
  readonly trail: Pick<TrailStore, "find">;
  readonly isAdmin: (identity: Reader["identity"]) => boolean;
}

const below = z.object({
  hops: z.array(
    z.looseObject({ service: z.string(), trace_id: z.string(), at: z.string(), detail: z.looseObject({}) }),
  ),
});

/** Follows one trace down the chain: our own hop, and what the services below show to this same caller. */
export function createHopsOf({ credentials, voicebox, trail, isAdmin }: HopsOptions) {
  return async (c: Context<ApiEnv>, given: string): Promise<readonly TrailHop[]> => {
    const traceId = traceIdFrom(given);
    const reader = await credentials.reader(c);
    const own = await trail.find(traceId, whoReads(reader));
    return mergeHops(own, await hopsBelow(c, reader, traceId, own.length > 0));
  };

  /** When the services below cannot be asked, what we know ourselves is better than nothing. */
  async function hopsBelow(c: Context<ApiEnv>, reader: Reader, traceId: string, isEnough: boolean) {
    try {
      const answer = await sendOnBehalf(voicebox, reader, { method: "GET", path: `/api/trail/${traceId}` }, callOf(c));
      const parsed = below.safeParse(await answer.json());
      return parsed.success ? (parsed.data.hops as unknown as readonly TrailHop[]) : [];
    } catch (error) {
      if (isEnough) return [];
      throw error;
    }
  }

  function whoReads({ identity }: Reader) {
    return isAdmin(identity) ? ("admin" as const) : { issuer: identity.issuer, subject: identity.subject };
  }
}

function traceIdFrom(given: string): string {
  if (/^[0-9a-f]{32}$/.test(given)) return given;
  throw new HttpError(
    400,
    "invalid_request",
    "A trace id is 32 hex digits: the second part of the answer's traceparent.",
  );
}
