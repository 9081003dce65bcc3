import { z } from "zod";
import { claude, claudeTokens } from "./families/claude.ts";
import { cohereEmbeddings, titanEmbeddings } from "./families/embeddings.ts";
import { nova } from "./families/nova.ts";
import { llama, titanText } from "./families/text.ts";
import type { Operation } from "./operation.ts";
import { tokensIn } from "./tokens.ts";

const families: readonly (readonly [RegExp, Operation])[] = [
  [/anthropic\.claude/, claude],
  [/amazon\.nova/, nova],
  [/amazon\.titan-embed/, titanEmbeddings],
  [/amazon\.titan/, titanText],
  [/meta\.llama/, llama],
  [/cohere\.embed/, cohereEmbeddings],
];

/** `POST /model/{id}/invoke` and `/invoke-with-response-stream`: the body is the model family's own. */
export const invoke: Operation = (body, context) => {
  const family = families.find(([pattern]) => pattern.test(context.model))?.[1];
  if (family === undefined) throw new TypeError("The provided model identifier is invalid.");
  return family(body, context);
};

const countSchema = z.strictObject({
  input: z.union([
    z.strictObject({ invokeModel: z.strictObject({ body: z.base64() }) }),
    z.strictObject({ converse: z.looseObject({ messages: z.array(z.unknown()).min(1) }) }),
  ]),
});

/** `POST /model/{id}/count-tokens`. */
export const countTokens: Operation = (body, { model }) => {
  if (/^(us|eu|apac|global)\./.test(model)) throw new TypeError("The provided model doesn't support counting tokens.");
  const { input } = countSchema.parse(body);
  const inputTokens =
    "converse" in input
      ? tokensIn(JSON.stringify([input.converse.system, input.converse.messages, input.converse.toolConfig]))
      : claudeTokens(JSON.parse(Buffer.from(input.invokeModel.body, "base64").toString("utf8")), model);
  return { json: () => ({ inputTokens }), events: () => [] };
};
