import type { Exchange } from "../exchange.ts";
import type { Outgoing } from "../upstream.ts";
import { cachedWithin } from "./cache-points.ts";
import { countAnswer } from "./claude.ts";
import { modelPath } from "./converse.ts";
import { familyOf, foundationModel } from "./family.ts";
import { converseTurns } from "./turns.ts";

/** `count_tokens` for a model that is not Claude: the conversation as Converse would get it. */
export function converseCount(outgoing: Outgoing): Exchange {
  const { modelId } = outgoing.deployment;
  const { messages, system, tools } = cachedWithin(outgoing.conversation(), familyOf(modelId));
  const converse = {
    messages: converseTurns(messages, familyOf(modelId)),
    ...(system.length === 0 ? {} : { system }),
    ...(tools.length === 0 ? {} : { toolConfig: { tools } }),
  };
  return {
    method: "POST",
    path: modelPath(foundationModel(modelId), "count-tokens"),
    body: JSON.stringify({ input: { converse } }),
    headers: { "content-type": "application/json", accept: "application/json" },
    answer: countAnswer,
  };
}
