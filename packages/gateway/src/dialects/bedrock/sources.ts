import {
  booleanField,
  type JsonObject,
  missing,
  objectAt,
  requiredList,
  requiredObject,
  requiredString,
  stringField,
  unsupported,
  wrongType,
} from "../body.ts";
import type { Document, SearchResult, Source } from "../conversation.ts";
import { documentFormats, type ImageBlock, imageFormats } from "../media.ts";

/** `image` of a Converse block. */
export function imageBlock(block: JsonObject, path: string): ImageBlock {
  const at = `${path}.image`;
  const image = requiredObject(block, "image", at);
  return { image: { format: formatField(image, imageFormats, at) ?? absentFormat(at), source: bytesOf(image, at) } };
}

/** `document` of a Converse block. What is text needs no format; what is bytes does. */
export function documentBlock(block: JsonObject, path: string): { readonly document: Document } {
  const at = `${path}.document`;
  const document = requiredObject(block, "document", at);
  const source = documentSource(document, at);
  const format = formatField(document, documentFormats, at) ?? ("bytes" in source ? absentFormat(at) : "txt");
  const context = stringField(document, "context", `${at}.context`);
  return {
    document: {
      format,
      name: requiredString(document, "name", `${at}.name`),
      source,
      ...(context === undefined || context === "" ? {} : { context }),
      ...citing(document, at),
    },
  };
}

/** `searchResult` of a Converse block. */
export function searchResultBlock(block: JsonObject, path: string): { readonly searchResult: SearchResult } {
  const at = `${path}.searchResult`;
  const result = requiredObject(block, "searchResult", at);
  return {
    searchResult: {
      source: requiredString(result, "source", `${at}.source`),
      title: requiredString(result, "title", `${at}.title`),
      content: textParts(result, `${at}.content`),
      ...citing(result, at),
    },
  };
}

/** `content`, where it is nothing but texts. */
export function textParts(from: JsonObject, path: string): readonly { readonly text: string }[] {
  const list = requiredList(from, "content", path);
  return list.map((_, index) => {
    const text = stringField(objectAt(list, index, path), "text", `${path}[${index}].text`);
    if (text === undefined) throw missing(`${path}[${index}].text`);
    return { text };
  });
}

function documentSource(document: JsonObject, at: string): Source {
  const source = requiredObject(document, "source", `${at}.source`);
  const text = stringField(source, "text", `${at}.source.text`);
  if (text !== undefined) return { text };
  return source.content == null ? bytesOf(document, at) : { content: textParts(source, `${at}.source.content`) };
}

function bytesOf(media: JsonObject, at: string): { readonly bytes: string } {
  const source = requiredObject(media, "source", `${at}.source`);
  if (source.s3Location != null)
    throw unsupported(`${at}.source.s3Location`, "this model is not served by Bedrock. Send the bytes.");
  return { bytes: requiredString(source, "bytes", `${at}.source.bytes`) };
}

function formatField(from: JsonObject, known: ReadonlySet<string>, at: string): string | undefined {
  const format = stringField(from, "format", `${at}.format`);
  if (format !== undefined && !known.has(format)) throw wrongType(`${at}.format`, `one of ${[...known].join(", ")}`);
  return format;
}

function absentFormat(at: string): never {
  throw missing(`${at}.format`);
}

function citing(from: JsonObject, at: string): Pick<Document, "citations"> {
  if (from.citations == null) return {};
  const enabled = booleanField(
    requiredObject(from, "citations", `${at}.citations`),
    "enabled",
    `${at}.citations.enabled`,
  );
  return enabled === true ? { citations: { enabled } } : {};
}
