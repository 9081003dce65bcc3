import { z } from "zod";
import { type Completion, complete } from "../completion.ts";
import type { Operation } from "../operation.ts";
import { replyTo, type Turn } from "../rule.ts";
import { pieces } from "../tokens.ts";
import { chunk, tokenHeaders } from "./claude.ts";

const titanSchema = z.strictObject({
  inputText: z.string().min(1),
  textGenerationConfig: z
    .strictObject({
      maxTokenCount: z.int().min(0).optional(),
      temperature: z.number().optional(),
      topP: z.number().optional(),
      stopSequences: z.array(z.string()).optional(),
    })
    .optional(),
});

const llamaSchema = z.strictObject({
  prompt: z.string().min(1),
  max_gen_len: z.int().min(1).max(2048).optional(),
  temperature: z.number().optional(),
  top_p: z.number().optional(),
});

/** Families that take one prompt and have no roles: the whole of it is what the user said. */
function turnOf(text: string, model: string): Turn {
  return { system: "", messages: [{ role: "user", content: [{ text }] }], tools: [], model };
}

/** Titan Text. */
export const titanText: Operation = (body, { model, rules }) => {
  const { inputText, textGenerationConfig } = titanSchema.parse(body);
  const turn = turnOf(inputText, model);
  const limits = { maxTokens: textGenerationConfig?.maxTokenCount, stopSequences: textGenerationConfig?.stopSequences };
  const completion = complete(replyTo(rules, turn), turn, inputText, limits);
  const completionReason = completion.stopReason === "max_tokens" ? "LENGTH" : "FINISH";
  const { inputTokens, outputTokens } = completion.usage;
  return {
    json: () => ({
      inputTextTokenCount: inputTokens,
      results: [{ tokenCount: outputTokens, outputText: completion.text ?? "", completionReason }],
    }),
    events: () =>
      stream(completion, (outputText, last) => ({
        outputText,
        index: 0,
        totalOutputTextTokenCount: last ? outputTokens : null,
        completionReason: last ? completionReason : null,
        inputTextTokenCount: inputTokens,
      })),
    headers: tokenHeaders(completion),
  };
};

/** Llama. */
export const llama: Operation = (body, { model, rules }) => {
  const { prompt, max_gen_len } = llamaSchema.parse(body);
  const turn = turnOf(prompt, model);
  const completion = complete(replyTo(rules, turn), turn, prompt, { maxTokens: max_gen_len ?? 512 });
  const stopReason = completion.stopReason === "max_tokens" ? "length" : "stop";
  const { inputTokens, outputTokens } = completion.usage;
  return {
    json: () => ({
      generation: completion.text ?? "",
      prompt_token_count: inputTokens,
      generation_token_count: outputTokens,
      stop_reason: stopReason,
    }),
    events: () =>
      stream(completion, (generation, last) => ({
        generation,
        prompt_token_count: inputTokens,
        generation_token_count: last ? outputTokens : 0,
        stop_reason: last ? stopReason : null,
      })),
    headers: tokenHeaders(completion),
  };
};

function* stream(
  completion: Completion,
  event: (text: string, last: boolean) => object,
): Generator<readonly [string, unknown]> {
  for (const piece of pieces(completion.text ?? "")) yield chunk(event(piece, false));
  const metrics = {
    inputTokenCount: completion.usage.inputTokens,
    outputTokenCount: completion.usage.outputTokens,
    invocationLatency: 1,
    firstByteLatency: 1,
  };
  yield chunk({ ...event("", true), "amazon-bedrock-invocationMetrics": metrics });
}
