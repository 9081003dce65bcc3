import {
  arrayField,
  type JsonObject,
  missing,
  objectAt,
  requiredString,
  stringField,
  unsupported,
  wrongType,
} from "../body.ts";
import type { CachePoint, ContentBlock, ToolResultBlock } from "../conversation.ts";
import { cachePoint, isBlank } from "../openai-chat/content.ts";
import { documentBlock, imageBlock, searchResultText } from "./sources.ts";

/**
 * Anthropic content, a string or blocks, as conversation blocks; cache marks become cache points behind their block. Blank
 * texts are left out.
 */
export function anthropicContent(content: unknown, path: string): ContentBlock[] {
  if (typeof content === "string") return isBlank(content) ? [] : [{ text: content }];
  if (!Array.isArray(content))
    throw content == null ? missing(path) : wrongType(path, "a string or an array of blocks");
  return content.flatMap((_, index): ContentBlock[] => {
    const block = objectAt(content, index, path);
    const said = anthropicBlock(block, `${path}[${index}]`);
    const cache = said.length === 0 ? undefined : cachePoint(block);
    return cache === undefined ? said : [...said, cache];
  });
}

function anthropicBlock(block: JsonObject, path: string): ContentBlock[] {
  switch (block.type) {
    case "text": {
      const text = stringField(block, "text", `${path}.text`);
      return text === undefined || isBlank(text) ? [] : [{ text }];
    }
    case "image":
      return [imageBlock(block, path)];
    case "document":
      return [documentBlock(block, path)];
    case "search_result":
      return [searchResultText(block, path)];
    case "tool_use": {
      const toolUseId = requiredString(block, "id", `${path}.id`);
      return [
        { toolUse: { toolUseId, name: requiredString(block, "name", `${path}.name`), input: block.input ?? {} } },
      ];
    }
    case "tool_result":
      return [toolResult(block, path)];
    case "tool_reference":
      return [
        { text: `The tool ${requiredString(block, "tool_name", `${path}.tool_name`)} can be called from now on.` },
      ];
    case "thinking": {
      // Empty where nobody signed: the field is one that clients want. Models that sign nothing refuse an empty one.
      const signature = stringField(block, "signature", `${path}.signature`) ?? "";
      const text = stringField(block, "thinking", `${path}.thinking`) ?? "";
      if (signature !== "") return [{ reasoningContent: { reasoningText: { text, signature } } }];
      return isBlank(text) ? [] : [{ reasoningContent: { reasoningText: { text } } }];
    }
    case "redacted_thinking":
      return [{ reasoningContent: { redactedContent: requiredString(block, "data", `${path}.data`) } }];
    default:
      throw unsupported(
        `${path}.type`,
        "this model takes text, image, document, search_result, tool_use, tool_result and thinking blocks.",
      );
  }
}

function toolResult(block: JsonObject, path: string): ContentBlock {
  const toolUseId = requiredString(block, "tool_use_id", `${path}.tool_use_id`);
  const blocks = block.content == null ? [] : anthropicContent(block.content, `${path}.content`);
  const content = blocks.filter(
    (part): part is Extract<ContentBlock, ToolResultBlock> => "text" in part || "image" in part || "document" in part,
  );
  const status = block.is_error === true ? { status: "error" as const } : {};
  return { toolResult: { toolUseId, content: content.length === 0 ? [{ text: "(no output)" }] : content, ...status } };
}

/** System prompt: a string or text blocks. */
export function systemContent(system: unknown, path: string): readonly ({ readonly text: string } | CachePoint)[] {
  if (system == null) return [];
  if (typeof system === "string") return isBlank(system) ? [] : [{ text: system }];
  const list = arrayField({ system }, "system", path) ?? [];
  return list.flatMap((_, index) => {
    const block = objectAt(list, index, path);
    if ((block.type ?? "text") !== "text") throw unsupported(`${path}[${index}].type`, "only text may stand here.");
    const text = stringField(block, "text", `${path}[${index}].text`);
    if (text === undefined) throw missing(`${path}[${index}].text`);
    const cache = cachePoint(block);
    return isBlank(text) ? [] : [{ text }, ...(cache === undefined ? [] : [cache])];
  });
}
