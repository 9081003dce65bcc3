import { arrayField, type JsonObject, objectAt, requiredString, stringField, unsupported } from "../body.ts";
import type { ContentBlock } from "../conversation.ts";
import { dataUrl, documentFromBase64, imageFromBase64 } from "../media.ts";
import { isBlank } from "../openai-chat/content.ts";

/** Content of a message or of a tool's output, as a string or as parts. Blank texts are left out. */
export function itemContent(content: unknown, path: string): ContentBlock[] {
  if (typeof content === "string") return text(content);
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
  return value === undefined || isBlank(value) ? [] : [{ text: value }];
}
