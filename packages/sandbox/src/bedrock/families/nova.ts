import { z } from "zod";
import { converse } from "../converse.ts";
import type { Operation } from "../operation.ts";
import { chunk } from "./claude.ts";

const requestSchema = z.looseObject({
  schemaVersion: z.string().optional(),
  inferenceConfig: z
    .looseObject({
      maxTokens: z.int().optional(),
      max_new_tokens: z.int().optional(),
      stopSequences: z.array(z.string()).optional(),
    })
    .optional(),
});

const keys = new Set(["schemaVersion", "system", "messages", "inferenceConfig", "toolConfig", "reasoningConfig"]);

/** In AWS's words, which tell a client that speaks another family's protocol. */
function refuseStrangeKeys(body: unknown): void {
  const strange = Object.keys(Object(body)).find((key) => !keys.has(key));
  if (strange === undefined) return;
  const what = `#: extraneous key [${strange}] is not permitted, please reformat your input and try again.`;
  throw new TypeError(`Malformed input request: ${what}`);
}

/** InvokeModel of Nova: Converse's body with other names for the limits, and Converse's events as chunks. */
export const nova: Operation = (body, context) => {
  refuseStrangeKeys(body);
  const { schemaVersion: _, inferenceConfig, ...request } = requestSchema.parse(body);
  const maxTokens = inferenceConfig?.maxTokens ?? inferenceConfig?.max_new_tokens;
  const stopSequences = inferenceConfig?.stopSequences;
  const limits = {
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(stopSequences === undefined ? {} : { stopSequences }),
  };
  const answer = converse({ ...request, inferenceConfig: limits }, context);
  return {
    json: () => answer.json(),
    *events() {
      for (const [type, payload] of answer.events()) {
        const usage = type === "metadata" ? metricsOf(payload) : {};
        yield chunk({ [type]: payload, ...usage });
      }
    },
  };
};

const metadataSchema = z.looseObject({ usage: z.looseObject({ inputTokens: z.number(), outputTokens: z.number() }) });

function metricsOf(payload: unknown) {
  const { usage } = metadataSchema.parse(payload);
  const metrics = {
    inputTokenCount: usage.inputTokens,
    outputTokenCount: usage.outputTokens,
    invocationLatency: 1,
    firstByteLatency: 1,
  };
  return { "amazon-bedrock-invocationMetrics": metrics };
}
