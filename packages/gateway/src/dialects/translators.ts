import type { DialectName } from "../call.ts";
import { chatTranslator } from "./openai-chat/translator.ts";
import type { Translator } from "./translator.ts";

/** The dialects that can be said to any upstream. */
export const translators: Readonly<Partial<Record<DialectName, Translator>>> = { "openai-chat": chatTranslator };
