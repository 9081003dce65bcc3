import type { DialectName } from "../call.ts";
import { anthropicTranslator } from "./anthropic/translator.ts";
import { converseTranslator } from "./bedrock/translator.ts";
import { chatTranslator } from "./openai-chat/translator.ts";
import { responsesTranslator } from "./openai-responses/translator.ts";
import type { Translator } from "./translator.ts";

/** The dialects that can be said to any upstream. */
export const translators: Readonly<Partial<Record<DialectName, Translator>>> = {
  "openai-chat": chatTranslator,
  "openai-responses": responsesTranslator,
  anthropic: anthropicTranslator,
  bedrock: converseTranslator,
};
