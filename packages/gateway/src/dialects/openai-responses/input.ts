import {
  arrayField,
  isObject,
  type JsonObject,
  objectAt,
  requiredString,
  stringField,
  unsupported,
  wrongType,
} from "../body.ts";
import type { ContentBlock, Message, SystemBlock } from "../conversation.ts";
import { dataUrl, documentFromBase64, imageFromBase64 } from "../media.ts";
import { pushMessage } from "../openai-chat/content.ts";

/** Input, a string or items, as system blocks and alternating turns. */
export function responsesInput(input: unknown): { system: SystemBlock[]; messages: Message[] } {
  const system: SystemBlock[] = [];
  const messages: { role: "user" | "assistant"; content: ContentBlock[] }[] = [];
  if (typeof input === "string") return { system, messages: [{ role: "user", content: [{ text: input }] }] };
  if (!Array.isArray(input)) throw wrongType("input", "a string or an array of items");
  for (let index = 0; index < input.length; index += 1) {
    const item = objectAt(input, index, "input");
    const path = `input[${index}]`;
    switch (item.type ?? "message") {
      case "message":
        pushItem(item, path, system, messages);
        break;
      case "function_call":
        pushMessage(messages, "assistant", [functionCall(item, path)]);
        break;
      case "function_call_output":
        pushMessage(messages, "user", [functionOutput(item, path)]);
        break;
      case "reasoning":
        pushMessage(messages, "assistant", reasoning(item));
        break;
      default:
        throw unsupported(`${path}.type`, "use message, function_call, function_call_output or reasoning items.");
    }
  }
  return { system, messages };
}

function pushItem(
  item: JsonObject,
  path: string,
  system: SystemBlock[],
  messages: { role: "user" | "assistant"; content: ContentBlock[] }[],
): void {
  const blocks = itemContent(item.content, `${path}.content`);
  if (item.role === "user" || item.role === "assistant") {
    pushMessage(messages, item.role, blocks);
    return;
  }
  if (item.role !== "system" && item.role !== "developer")
    throw unsupported(`${path}.role`, "use user, assistant, system or developer.");
  for (const block of blocks) {
    if (!("text" in block)) throw unsupported(`${path}.content`, "only text may stand here.");
    system.push(block);
  }
}

function itemContent(content: unknown, path: string): ContentBlock[] {
  if (typeof content === "string") return content === "" ? [] : [{ text: content }];
  const parts = arrayField({ content }, "content", path) ?? [];
  return parts.flatMap((_, index) => itemPart(objectAt(parts, index, path), `${path}[${index}]`));
}

function itemPart(part: JsonObject, path: string): ContentBlock[] {
  switch (part.type) {
    case "input_text":
    case "output_text":
    case "text":
      return text(stringField(part, "text", `${path}.text`));
    case "refusal":
      return text(stringField(part, "refusal", `${path}.refusal`));
    case "input_image": {
      if (part.file_id != null)
        throw unsupported(`${path}.file_id`, "there is no file store. Send image_url with a data: URL.");
      const { mediaType, data } = dataUrl(requiredString(part, "image_url", `${path}.image_url`), `${path}.image_url`);
      return [imageFromBase64(mediaType, data, `${path}.image_url`)];
    }
    case "input_file": {
      if (part.file_id != null || part.file_url != null)
        throw unsupported(path, "there is no file store and nothing is fetched. Send file_data.");
      const { mediaType, data } = dataUrl(requiredString(part, "file_data", `${path}.file_data`), `${path}.file_data`);
      return [
        documentFromBase64(
          mediaType,
          data,
          stringField(part, "filename", `${path}.filename`) ?? "document",
          `${path}.file_data`,
        ),
      ];
    }
    default:
      throw unsupported(`${path}.type`, "use input_text, input_image, input_file or output_text parts.");
  }
}

function text(value: string | undefined): ContentBlock[] {
  return value === undefined || value === "" ? [] : [{ text: value }];
}

function functionCall(item: JsonObject, path: string): ContentBlock {
  const toolUseId = requiredString(item, "call_id", `${path}.call_id`);
  const name = requiredString(item, "name", `${path}.name`);
  const given = stringField(item, "arguments", `${path}.arguments`) ?? "";
  try {
    return { toolUse: { toolUseId, name, input: given === "" ? {} : JSON.parse(given) } };
  } catch {
    throw wrongType(`${path}.arguments`, "a string of valid JSON");
  }
}

function functionOutput(item: JsonObject, path: string): ContentBlock {
  const toolUseId = requiredString(item, "call_id", `${path}.call_id`);
  const content = itemContent(item.output, `${path}.output`).flatMap((block) =>
    "text" in block || "image" in block || "document" in block ? [block] : [],
  );
  return { toolResult: { toolUseId, content: content.length === 0 ? [{ text: "(no output)" }] : content } };
}

/** Thoughts come back in `encrypted_content`, where this dialect's answers put them with their signature. */
function reasoning(item: JsonObject): ContentBlock[] {
  if (typeof item.encrypted_content !== "string") return [];
  try {
    const kept: unknown = JSON.parse(Buffer.from(item.encrypted_content, "base64").toString("utf8"));
    if (!isObject(kept)) return [];
    if (typeof kept.redacted === "string") return [{ reasoningContent: { redactedContent: kept.redacted } }];
    if (typeof kept.text !== "string" || typeof kept.signature !== "string") return [];
    return [{ reasoningContent: { reasoningText: { text: kept.text, signature: kept.signature } } }];
  } catch {
    return [];
  }
}
