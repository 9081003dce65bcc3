import {
  isObject,
  type JsonObject,
  missing,
  objectAt,
  objectField,
  requiredString,
  stringField,
  unsupported,
  wrongType,
} from "../body.ts";
import type { CachePoint, ContentBlock } from "../conversation.ts";
import { type DocumentBlock, dataUrl, documentFromBase64, type ImageBlock, imageFromBase64 } from "../media.ts";

type UserBlock = { readonly text: string } | ImageBlock | DocumentBlock | CachePoint;

/** Content as a string or as parts. Blank texts are left out: Bedrock refuses them and they say nothing. */
export function userContent(content: unknown, path: string): readonly UserBlock[] {
  if (typeof content === "string") return isBlank(content) ? [] : [{ text: content }];
  if (!Array.isArray(content)) throw content == null ? missing(path) : wrongType(path, "a string or an array of parts");
  const blocks: UserBlock[] = [];
  for (let index = 0; index < content.length; index += 1) {
    const part = objectAt(content, index, path);
    const block = userPart(part, `${path}[${index}]`);
    if (block !== undefined) blocks.push(block);
    const cache = cachePoint(part);
    if (cache !== undefined) blocks.push(cache);
  }
  return blocks;
}

function userPart(part: JsonObject, path: string): UserBlock | undefined {
  switch (part.type) {
    case "text":
      return textBlock(stringField(part, "text", `${path}.text`));
    case "refusal":
      return textBlock(stringField(part, "refusal", `${path}.refusal`));
    case "image_url": {
      const url = isObject(part.image_url)
        ? requiredString(part.image_url, "url", `${path}.image_url.url`)
        : part.image_url;
      if (typeof url !== "string") throw missing(`${path}.image_url.url`);
      const { mediaType, data } = dataUrl(url, `${path}.image_url.url`);
      return imageFromBase64(mediaType, data, `${path}.image_url.url`);
    }
    case "file":
      return fileBlock(objectField(part, "file", `${path}.file`) ?? {}, `${path}.file`);
    case "input_audio":
      throw unsupported(`${path}.input_audio`, "Bedrock's conversation takes no audio. Send the transcript as text.");
    default:
      throw unsupported(`${path}.type`, "use text, image_url or file parts.");
  }
}

function textBlock(text: string | undefined): { readonly text: string } | undefined {
  return text === undefined || isBlank(text) ? undefined : { text };
}

/** Says nothing: Bedrock and Anthropic refuse such a text, and models write some between what they think and call. */
export function isBlank(text: string): boolean {
  return text.trim() === "";
}

function fileBlock(file: JsonObject, path: string): DocumentBlock {
  if (file.file_id != null) throw unsupported(`${path}.file_id`, "there is no file store. Send file_data.");
  const { mediaType, data } = dataUrl(requiredString(file, "file_data", `${path}.file_data`), `${path}.file_data`);
  return documentFromBase64(
    mediaType,
    data,
    stringField(file, "filename", `${path}.filename`) ?? "document",
    `${path}.file_data`,
  );
}

/** `cache_control` is Anthropic's mark, which OpenAI-style clients of Claude send too. */
export function cachePoint(part: JsonObject): CachePoint | undefined {
  if (!isObject(part.cache_control)) return undefined;
  const { ttl } = part.cache_control;
  return { cachePoint: { type: "default", ...(typeof ttl === "string" ? { ttl } : {}) } };
}

/** Texts only, for system messages and tool results. */
export function textContent(content: unknown, path: string): readonly ({ readonly text: string } | CachePoint)[] {
  return userContent(content, path).map((block) => {
    if ("text" in block || "cachePoint" in block) return block;
    throw unsupported(path, "only text may stand here.");
  });
}

/** Joins neighbours of one role, as Converse wants turns to alternate. */
export function pushMessage(
  messages: { role: "user" | "assistant"; content: ContentBlock[] }[],
  role: "user" | "assistant",
  content: readonly ContentBlock[],
): void {
  const last = messages.at(-1);
  const turn = last?.role === role ? last : { role, content: [] };
  append(turn.content, content);
  if (turn !== last && turn.content.length > 0) messages.push(turn);
}

/** Adds blocks, less the cache points that would stand behind nothing, behind another or behind a thought, which no provider takes. */
export function append<Block extends object>(blocks: Block[], more: readonly Block[]): void {
  for (const block of more) if (!("cachePoint" in block) || takesPoint(blocks.at(-1))) blocks.push(block);
}

function takesPoint(block: object | undefined): boolean {
  return block !== undefined && !("cachePoint" in block) && !("reasoningContent" in block);
}
