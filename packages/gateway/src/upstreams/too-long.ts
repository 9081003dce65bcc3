import type { GatewayErrorCode } from "../errors.ts";

/** As Bedrock, Anthropic, OpenAI, vLLM, SGLang and llama.cpp word it; only some have a code for it. */
const words =
  /(?:input|prompt) is too long|too many (?:input )?tokens|exceed(?:s|ed)? (?:the )?(?:model's )?(?:maximum |available )?context|maximum context length|longer than the (?:maximum model|model's context) length|context_length_exceeded/i;

/**
 * A refusal for the length of what was sent has a code of its own: clients shorten the conversation when they hear it,
 * and give up on any other.
 */
export function toldLength(code: GatewayErrorCode, ...said: readonly (string | undefined)[]): GatewayErrorCode {
  if (code !== "upstream_invalid_request") return code;
  return said.some((one) => one !== undefined && words.test(one)) ? "context_length_exceeded" : code;
}
