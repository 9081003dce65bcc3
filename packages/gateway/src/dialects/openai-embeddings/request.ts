import { GatewayError } from "../../errors.ts";
import { type JsonObject, positiveField, stringField, unsupported, wrongType } from "../body.ts";

/** What is to be embedded, whichever model does it. */
export interface EmbeddingRequest {
  readonly texts: readonly string[];
  readonly dimensions: number | undefined;
  readonly encoding: "float" | "base64";
  /** Cohere's `input_type`: a query and a document are embedded differently. */
  readonly inputType: string | undefined;
}

/** OpenAI's own bound of one request. */
const maxTexts = 2048;

/** @throws GatewayError naming the field */
export function embeddingRequest(body: JsonObject): EmbeddingRequest {
  const input = typeof body.input === "string" ? [body.input] : body.input;
  if (!Array.isArray(input)) throw wrongType("input", "a string or an array of strings");
  if (input.length > maxTexts) {
    throw new GatewayError("invalid_request", `'input' may hold at most ${maxTexts} texts.`, { param: "input" });
  }
  const texts = input.map((text, index) => {
    if (typeof text === "string" && text !== "") return text;
    throw typeof text === "string"
      ? wrongType(`input[${index}]`, "a text that is not empty")
      : unsupported("input", "send texts; this model counts tokens in its own way.");
  });
  const encoding = stringField(body, "encoding_format") ?? "float";
  if (encoding !== "float" && encoding !== "base64") throw unsupported("encoding_format", "use float or base64.");
  return { texts, dimensions: positiveField(body, "dimensions"), encoding, inputType: stringField(body, "input_type") };
}

/** OpenAI's list of embeddings; base64 is little-endian float32, as the SDK asks for by default. */
export function embeddingAnswer(
  vectors: readonly (readonly number[])[],
  model: string,
  tokens: number,
  encoding: EmbeddingRequest["encoding"],
): string {
  const data = vectors.map((vector, index) => ({
    object: "embedding",
    index,
    embedding: encoding === "float" ? vector : floatBytes(vector).toString("base64"),
  }));
  return JSON.stringify({ object: "list", data, model, usage: { prompt_tokens: tokens, total_tokens: tokens } });
}

function floatBytes(vector: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(vector.length * 4);
  for (let index = 0; index < vector.length; index += 1) bytes.writeFloatLE(vector[index] ?? 0, index * 4);
  return bytes;
}
