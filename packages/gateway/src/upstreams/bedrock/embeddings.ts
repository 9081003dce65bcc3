import { noUsage } from "../../call.ts";
import { isObject, unsupported } from "../../dialects/body.ts";
import { type EmbeddingRequest, embeddingAnswer, embeddingRequest } from "../../dialects/openai-embeddings/request.ts";
import { malformedAnswer } from "../answer-stream.ts";
import type { Exchange, UpstreamHeaders } from "../exchange.ts";
import type { Outgoing } from "../upstream.ts";
import { modelPath } from "./converse.ts";

interface Embedded {
  readonly vectors: readonly (readonly number[])[];
  readonly tokens: number;
}

/** How one family of embedding models takes and gives. */
interface EmbeddingFamily {
  /** Texts in one call. */
  readonly batch: number;
  body(texts: readonly string[], request: EmbeddingRequest): unknown;
  read(answer: unknown, headers: UpstreamHeaders): Embedded;
}

const titan: EmbeddingFamily = {
  batch: 1,
  body: ([inputText], { dimensions }) => ({ inputText, ...(dimensions === undefined ? {} : { dimensions }) }),
  read(answer, headers) {
    const vector = isObject(answer) ? answer.embedding : undefined;
    if (!isObject(answer) || !isVector(vector)) throw malformedAnswer("it carries no embedding");
    return {
      vectors: [vector],
      tokens: typeof answer.inputTextTokenCount === "number" ? answer.inputTextTokenCount : counted(headers),
    };
  },
};

const titanFirst: EmbeddingFamily = {
  ...titan,
  body(texts, request) {
    if (request.dimensions !== undefined) throw unsupported("dimensions", "this model has one size. Leave it out.");
    return titan.body(texts, request);
  },
};

const cohere: EmbeddingFamily = {
  batch: 96,
  body(texts, { dimensions, inputType }) {
    if (dimensions !== undefined) throw unsupported("dimensions", "this model has one size. Leave it out.");
    return { texts, input_type: inputType ?? "search_document" };
  },
  read(answer, headers) {
    const said = isObject(answer) ? answer.embeddings : undefined;
    const vectors = isObject(said) ? said.float : said;
    if (!Array.isArray(vectors) || !vectors.every(isVector)) throw malformedAnswer("it carries no embeddings");
    return { vectors, tokens: counted(headers) };
  },
};

const cohereFourth: EmbeddingFamily = {
  ...cohere,
  body: (texts, { dimensions, inputType }) => ({
    texts,
    input_type: inputType ?? "search_document",
    embedding_types: ["float"],
    ...(dimensions === undefined ? {} : { output_dimension: dimensions }),
  }),
};

function familyOf(modelId: string): EmbeddingFamily {
  if (/amazon\.titan-embed-text-v1|titan-embed-g1/.test(modelId)) return titanFirst;
  if (/amazon\.titan-embed/.test(modelId)) return titan;
  if (/cohere\.embed-v4/.test(modelId)) return cohereFourth;
  if (/cohere\.embed/.test(modelId)) return cohere;
  throw unsupported("model", "this model makes no embeddings.");
}

/** Embeddings by InvokeModel: as many calls as the model's batch size needs, joined into one answer in order. */
export function embeddingsExchange({ call, deployment }: Outgoing): Exchange {
  const request = embeddingRequest(call.body);
  const family = familyOf(deployment.modelId);
  const read: Embedded[] = [];
  const parts: Exchange[] = [];
  for (let from = 0; from < request.texts.length; from += family.batch) {
    const index = parts.length;
    parts.push({
      method: "POST",
      path: modelPath(deployment.modelId, "invoke"),
      body: JSON.stringify(family.body(request.texts.slice(from, from + family.batch), request)),
      headers: { "content-type": "application/json", accept: "application/json" },
      answer(body, headers) {
        read[index] = family.read(JSON.parse(body.toString("utf8")), headers);
        const tokens = read.reduce((sum, one) => sum + one.tokens, 0);
        const vectors = read.flatMap((one) => one.vectors);
        return {
          body: embeddingAnswer(vectors, call.model, tokens, request.encoding),
          usage: { ...noUsage, inputTokens: tokens },
        };
      },
    });
  }
  const last = parts.at(-1);
  if (last === undefined) throw unsupported("input", "there is nothing to embed.");
  return parts.length === 1 ? last : { ...last, before: parts.slice(0, -1) };
}

function isVector(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((one) => typeof one === "number");
}

function counted(headers: UpstreamHeaders): number {
  const value = headers["x-amzn-bedrock-input-token-count"];
  return typeof value === "string" && /^\d+$/.test(value) ? Number(value) : 0;
}
