import { GatewayError } from "../errors.ts";
import type { ContentBlock, Source } from "./conversation.ts";

const imageTypes: ReadonlyMap<string, string> = new Map(
  Object.entries({
    "image/png": "png",
    "image/jpeg": "jpeg",
    "image/jpg": "jpeg",
    "image/gif": "gif",
    "image/webp": "webp",
  }),
);

const documentTypes: ReadonlyMap<string, string> = new Map(
  Object.entries({
    "application/pdf": "pdf",
    "text/csv": "csv",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "text/html": "html",
    "text/plain": "txt",
    "text/markdown": "md",
  }),
);

/** In Converse's words. */
export const imageFormats: ReadonlySet<string> = new Set(imageTypes.values());
/** By Converse's names. */
export const documentFormats: ReadonlySet<string> = new Set(documentTypes.values());

export type ImageBlock = Extract<ContentBlock, { image: unknown }>;
export type DocumentBlock = Extract<ContentBlock, { document: unknown }>;

/** @throws GatewayError `unsupported` for another type than Converse takes, naming `param` */
export function imageFromBase64(mediaType: string, data: string, param: string): ImageBlock {
  const format = imageTypes.get(mediaType.toLowerCase());
  if (format === undefined) {
    throw new GatewayError("unsupported", `'${param}' is ${mediaType}; use PNG, JPEG, GIF or WebP.`, { param });
  }
  return { image: { format, source: { bytes: data } } };
}

/** @throws GatewayError `unsupported` for another type than Converse takes, naming `param` */
export function documentFromBase64(mediaType: string, data: string, name: string, param: string): DocumentBlock {
  const format = documentTypes.get(mediaType.toLowerCase());
  if (format === undefined) {
    throw new GatewayError(
      "unsupported",
      `'${param}' is ${mediaType}; use PDF, text, Markdown, CSV, HTML, Word or Excel.`,
      {
        param,
      },
    );
  }
  return { document: { format, name: documentName(name), source: { bytes: data } } };
}

/** Converse takes letters, digits, single blanks, hyphens, parentheses and square brackets in a document's name. */
function documentName(name: string): string {
  const plain = name
    .replace(/\.[A-Za-z0-9]{1,5}$/, "")
    .replace(/[^A-Za-z0-9\s\-()[\]]/g, " ")
    .replace(/\s+/g, " ")
    .trim();
  return plain === "" ? "document" : plain.slice(0, 200);
}

/** Of Converse's formats those that are text. */
export const textFormats: ReadonlySet<string> = new Set(["txt", "md", "csv", "html"]);

/** What stands in a document, for providers that know none of its kind; undefined where it is no text. */
export function textOfDocument(format: string, source: Source): string | undefined {
  if ("text" in source) return source.text;
  if ("content" in source) return source.content.map(({ text }) => text).join("\n");
  return textFormats.has(format) && "bytes" in source
    ? Buffer.from(source.bytes, "base64").toString("utf8")
    : undefined;
}

/**
 * The parts of a `data:` URL. Any other address is refused: fetching what a caller names would let him reach what the
 * gateway can reach.
 */
export function dataUrl(url: string, param: string): { readonly mediaType: string; readonly data: string } {
  const comma = url.startsWith("data:") ? url.indexOf(",") : -1;
  const head = comma < 0 ? "" : url.slice("data:".length, comma);
  if (!head.endsWith(";base64")) {
    throw new GatewayError(
      "unsupported",
      `'${param}' must be a base64 data: URL; the gateway fetches nothing on a caller's behalf.`,
      {
        param,
      },
    );
  }
  return { mediaType: head.slice(0, -";base64".length).split(";")[0] ?? "", data: url.slice(comma + 1) };
}

/** Back from Converse's name of a format. */
export function mediaTypeOf(kind: "image" | "document", format: string): string {
  if (kind === "image") return `image/${format}`;
  return [...documentTypes].find(([, known]) => known === format)?.[0] ?? "application/octet-stream";
}
