import { GatewayError } from "../errors.ts";
import type { Conversation } from "./conversation.ts";

type Turns = Pick<Conversation, "system" | "messages">;

/**
 * A system prompt that is all there is, which OpenAI takes and others refuse, asks for an answer as a user's does.
 * @param param the field in which the turns came
 * @throws GatewayError `invalid_request` when nothing is said at all
 */
export function askedByUser({ system, messages }: Turns, param: string): Turns {
  if (messages.length > 0) return { system, messages };
  const said = system.filter((block) => "text" in block);
  if (said.length === 0)
    throw new GatewayError("invalid_request", `'${param}' must hold a message that is not empty.`, { param });
  return { system: [], messages: [{ role: "user", content: said }] };
}
