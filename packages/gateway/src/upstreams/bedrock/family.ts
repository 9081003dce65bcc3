import { remembered } from "../../remembered.ts";

/** Model families that word a wish differently. */
export type Family =
  | "claude"
  | "nova"
  | "nova2"
  | "titan"
  | "llama"
  | "mistral"
  | "cohere"
  | "deepseek"
  | "gpt-oss"
  | "qwen"
  | "other";

const families: readonly (readonly [pattern: RegExp, family: Family])[] = [
  [/anthropic\.claude/, "claude"],
  [/amazon\.nova-2/, "nova2"],
  [/amazon\.nova/, "nova"],
  [/amazon\.titan/, "titan"],
  [/meta\.llama/, "llama"],
  [/mistral\./, "mistral"],
  [/cohere\./, "cohere"],
  [/deepseek\./, "deepseek"],
  [/openai\.gpt-oss/, "gpt-oss"],
  [/qwen\./, "qwen"],
];

/** By model id, inference-profile id or an ARN that names one of them. The same few ids are asked for at every call. */
export const familyOf: (modelId: string) => Family = remembered(
  512,
  (modelId) => families.find(([pattern]) => pattern.test(modelId))?.[1] ?? "other",
);

/** The model behind a geographic inference profile: `us.anthropic.claude…` → `anthropic.claude…`. */
export function foundationModel(modelId: string): string {
  return modelId.replace(/^(us-gov|us|eu|apac|ap|jp|au|ca|global)\./, "");
}
