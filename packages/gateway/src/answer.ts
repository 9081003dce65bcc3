import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { CallerTag } from "./call.ts";
import { costOf } from "./cost/cost.ts";
import { type HeaderReader, headerReader, limitHeaders } from "./limits/limit-headers.ts";
import type { LimitState } from "./limits/limiter.ts";
import type { StageContext } from "./stages.ts";

/** Forwards the call; the answer is written to Node's own response. Last of the stages. */
export async function answer(c: StageContext): Promise<Response> {
  const { forwarding, findPrice } = c.env.rules;
  const call = c.env.call;
  const draft = c.env.draft;
  const requestId = c.get("requestId");
  const settlement = await forwarding.forward(call, {
    caller: tagOf(c),
    requestId,
    signal: c.get("signal"),
    outgoing: c.env.outgoing,
    attempting: (providerModel) => {
      draft.providerModel = providerModel;
    },
    // Anthropic's SDKs read `request-id`, OpenAI's `x-request-id`; the latter is already on the answer.
    headers: headersOf(requestId, c.env.granted.states, headerReader(call.dialect)),
  });
  draft.settlement = settlement;
  if (settlement.usageEstimated === true) draft.detail.usage_estimated = true;
  if (settlement.usage !== undefined && settlement.providerModel !== undefined) {
    const price = findPrice(settlement.providerModel, c.env.model);
    draft.costUsd = costOf(settlement.usage, price);
    if (price === undefined) {
      c.get("log").warn(
        { model: settlement.providerModel },
        "cost: no price is known for this model; add it under prices",
      );
    }
  }
  return RESPONSE_ALREADY_SENT;
}

function headersOf(
  requestId: string,
  states: readonly LimitState[],
  reader: HeaderReader,
): Readonly<Record<string, string>> {
  const headers = states.length === 0 ? {} : limitHeaders(states, Date.now(), reader);
  headers["request-id"] = requestId;
  headers["x-content-type-options"] = "nosniff";
  return headers;
}

function tagOf(c: StageContext): CallerTag {
  const { userId, subject, issuer, teamId, clientId, token, expiresAt } = c.env.caller;
  const { traceId, traceparent } = c.get("trace");
  return { userId, subject, issuer, teamId, clientId, traceId, traceparent, token, expiresAt };
}
