import { createHash } from "node:crypto";
import { z } from "zod";
import type { Operation } from "../operation.ts";
import { tokensIn } from "../tokens.ts";

/** A direction that depends on the words of a text, so that texts with common words are near each other. */
export function embed(text: string, dimensions: number): number[] {
  const vector = new Array<number>(dimensions).fill(0);
  for (const word of text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [""]) {
    const digest = createHash("sha256").update(word).digest();
    for (let at = 0; at < digest.length; at += 2) {
      const index = digest.readUInt16BE(at) % dimensions;
      vector[index] = (vector[index] ?? 0) + ((digest[at] ?? 0) % 2 === 0 ? 1 : -1);
    }
  }
  const length = Math.hypot(...vector) || 1;
  return vector.map((value) => value / length);
}

const titanSchema = z.strictObject({
  inputText: z.string().min(1),
  dimensions: z.union([z.literal(256), z.literal(512), z.literal(1024)]).optional(),
  normalize: z.boolean().optional(),
  embeddingTypes: z.array(z.enum(["float", "binary"])).optional(),
});

/** Titan Text Embeddings V2, one text a call. */
export const titanEmbeddings: Operation = (body) => {
  const { inputText, dimensions } = titanSchema.parse(body);
  const embedding = embed(inputText, dimensions ?? 1024);
  const tokens = tokensIn(inputText);
  return whole({ embedding, embeddingsByType: { float: embedding }, inputTextTokenCount: tokens }, tokens);
};

const cohereSchema = z.strictObject({
  texts: z.array(z.string().min(1)).min(1).max(96),
  input_type: z.enum(["search_document", "search_query", "classification", "clustering"]),
  truncate: z.string().optional(),
  embedding_types: z.array(z.string()).optional(),
  output_dimension: z.int().optional(),
});

/** Cohere Embed, up to 96 texts a call. */
export const cohereEmbeddings: Operation = (body) => {
  const { texts, embedding_types, output_dimension } = cohereSchema.parse(body);
  const vectors = texts.map((text) => embed(text, output_dimension ?? 1024));
  const tokens = texts.reduce((sum, text) => sum + tokensIn(text), 0);
  const typed = embedding_types === undefined ? "embeddings_floats" : "embeddings_by_type";
  return whole(
    {
      id: "stand-in",
      response_type: typed,
      texts,
      embeddings: embedding_types === undefined ? vectors : { float: vectors },
    },
    tokens,
  );
};

function whole(answer: unknown, tokens: number) {
  return {
    json: () => answer,
    events: (): Iterable<readonly [string, unknown]> => {
      throw new TypeError("The model does not support response streaming.");
    },
    headers: { "x-amzn-bedrock-input-token-count": String(tokens), "x-amzn-bedrock-invocation-latency": "1" },
  };
}
