import {
  isObject,
  type JsonObject,
  objectAt,
  requiredList,
  requiredObject,
  requiredString,
  stringField,
  unsupported,
} from "../body.ts";
import type { ContentBlock } from "../conversation.ts";
import { type DocumentBlock, documentFromBase64, type ImageBlock, imageFromBase64 } from "../media.ts";
import { isBlank } from "../openai-chat/content.ts";
import { searchText } from "../search-text.ts";

/** An `image` of Anthropic's. */
export function imageBlock(block: JsonObject, path: string): ImageBlock {
  const { mediaType, data } = base64Source(requiredObject(block, "source", `${path}.source`), path);
  return imageFromBase64(mediaType, data, `${path}.source`);
}

/** A `document` of Anthropic's, with what the model is told of it besides. */
export function documentBlock(block: JsonObject, path: string): ContentBlock {
  refuseCitations(block, path);
  const context = stringField(block, "context", `${path}.context`) ?? "";
  const { document } = plainDocument(block, path);
  return { document: isBlank(context) ? document : { ...document, context } };
}

/** A `search_result` of Anthropic's, in words: only Claude knows one when it sees it. */
export function searchResultText(block: JsonObject, path: string): { readonly text: string } {
  refuseCitations(block, path);
  const source = requiredString(block, "source", `${path}.source`);
  const title = requiredString(block, "title", `${path}.title`);
  return { text: searchText({ source, title, content: texts(block, `${path}.content`) }) };
}

function refuseCitations({ citations }: JsonObject, path: string): void {
  if (isObject(citations) && citations.enabled === true)
    throw unsupported(`${path}.citations`, "this model cites nothing.");
}

function plainDocument(block: JsonObject, path: string): DocumentBlock {
  const name = stringField(block, "title", `${path}.title`) ?? "document";
  const at = `${path}.source`;
  const source = requiredObject(block, "source", at);
  const ofText = (text: string) => documentFromBase64("text/plain", Buffer.from(text).toString("base64"), name, at);
  switch (source.type) {
    case "text":
      return ofText(requiredString(source, "data", `${at}.data`));
    case "content":
      // The parts are there to be cited one by one, which no other model does.
      if (typeof source.content === "string") return ofText(source.content);
      return ofText(
        texts(source, `${at}.content`)
          .map(({ text }) => text)
          .join("\n\n"),
      );
    default: {
      const { mediaType, data } = base64Source(source, path);
      return documentFromBase64(mediaType, data, name, at);
    }
  }
}

/** `content`, which may hold nothing but texts here. */
function texts(from: JsonObject, path: string): readonly { readonly text: string }[] {
  const list = requiredList(from, "content", path);
  return list.map((_, index) => {
    const part = objectAt(list, index, path);
    if (part.type !== "text") throw unsupported(`${path}[${index}].type`, "only text may stand here.");
    return { text: requiredString(part, "text", `${path}[${index}].text`) };
  });
}

function base64Source(source: JsonObject, path: string): { mediaType: string; data: string } {
  if (source.type !== "base64")
    throw unsupported(`${path}.source.type`, "send base64; the gateway fetches nothing on a caller's behalf.");
  return {
    mediaType: requiredString(source, "media_type", `${path}.source.media_type`),
    data: requiredString(source, "data", `${path}.source.data`),
  };
}
