import { z } from "zod";
import { type Completion, complete } from "./completion.ts";
import { checkTurns } from "./converse-turns.ts";
import { readClaudeFields } from "./families/claude-request.ts";
import { formatInWords } from "./format-in-words.ts";
import type { Operation } from "./operation.ts";
import { type ConverseMessage, type Reply, replyTo, standInThought, type Turn } from "./rule.ts";
import { fitted } from "./schema-example.ts";
import { pieces } from "./tokens.ts";

const block = z.looseObject({ text: z.string().optional(), toolUse: z.looseObject({ name: z.string() }).optional() });

const requestSchema = z.looseObject({
  messages: z.array(z.looseObject({ role: z.enum(["user", "assistant"]), content: z.array(block).min(1) })).min(1),
  system: z.array(block).optional(),
  inferenceConfig: z
    .looseObject({
      maxTokens: z.int().min(1).optional(),
      temperature: z.number().min(0).max(1).optional(),
      topP: z.number().min(0).max(1).optional(),
      stopSequences: z.array(z.string()).max(2500).optional(),
    })
    .optional(),
  toolConfig: z
    .looseObject({
      tools: z
        .array(
          z.looseObject({
            toolSpec: z
              .looseObject({
                name: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/),
                inputSchema: z.looseObject({ json: z.unknown() }),
              })
              .optional(),
          }),
        )
        .min(1),
      toolChoice: z
        .looseObject({ any: z.looseObject({}).optional(), tool: z.looseObject({ name: z.string() }).optional() })
        .optional(),
    })
    .optional(),
  outputConfig: z
    .looseObject({
      textFormat: z
        .looseObject({
          type: z.literal("json_schema"),
          structure: z.looseObject({ jsonSchema: z.looseObject({ schema: z.string() }) }),
        })
        .optional(),
      effort: z.enum(["low", "medium", "high", "xhigh", "max"]).optional(),
    })
    .optional(),
  guardrailConfig: z.looseObject({ guardrailIdentifier: z.string() }).optional(),
  additionalModelRequestFields: z.unknown().optional(),
  requestMetadata: z
    .record(
      z.string().regex(/^[a-zA-Z0-9 \t\n\v\f\r:_@$#=/+,.-]{1,256}$/),
      z.string().regex(/^[a-zA-Z0-9 \t\n\v\f\r:_@$#=/+,.-]{0,256}$/),
    )
    .refine((metadata) => Object.keys(metadata).length <= 16, "at most 16 entries")
    .optional(),
});

/** `POST /model/{id}/converse` and `/converse-stream`. */
export const converse: Operation = (body, { model, rules }) => {
  const request = requestSchema.parse(body);
  // The schema checks the parts the rules look at; the rest travels as it came.
  const messages = request.messages as unknown as readonly ConverseMessage[];
  checkTurns(messages, model);
  checkTools(request);
  const { tool, any } = request.toolConfig?.toolChoice ?? {};
  const forced = tool ?? any;
  const turn: Turn = {
    system: (request.system ?? []).map((part) => part.text ?? "").join("\n"),
    messages,
    tools: (request.toolConfig?.tools ?? []).flatMap(({ toolSpec }) =>
      toolSpec === undefined ? [] : [{ name: toolSpec.name, inputSchema: toolSpec.inputSchema.json }],
    ),
    ...(forced === undefined ? {} : { forced: tool === undefined ? {} : { name: tool.name } }),
    model,
  };
  const said: Reply = replyTo(rules, turn);
  const own = model.includes("anthropic.claude")
    ? readClaudeFields(request.additionalModelRequestFields, model, {
        maxTokens: request.inferenceConfig?.maxTokens,
        tools: turn.tools.length,
        toolChoice: Object.keys(request.toolConfig?.toolChoice ?? {})[0],
      })
    : undefined;
  const schema = request.outputConfig?.textFormat?.structure.jsonSchema.schema;
  const format = schema === undefined ? own?.format : JSON.parse(schema);
  const text = fitted(said.text, format ?? formatInWords(turn));
  const thought = own?.thinks === true ? { reasoning: said.reasoning ?? standInThought } : {};
  const reply: Reply = { ...said, ...(text === undefined ? {} : { text }), ...thought };
  const completion = complete(reply, turn, JSON.stringify([request.system, request.messages, request.toolConfig]), {
    maxTokens: request.inferenceConfig?.maxTokens,
    stopSequences: request.inferenceConfig?.stopSequences,
    guarded: request.guardrailConfig !== undefined,
  });
  return { json: () => answer(completion), events: () => events(completion) };
};

/** What has called tools must say which there are, also when none is to be called again. */
function checkTools({ messages, toolConfig }: z.output<typeof requestSchema>): void {
  const used = messages.some(({ content }) => content.some((part) => part.toolUse ?? part.toolResult));
  if (used && toolConfig === undefined)
    throw new TypeError("The toolConfig field must be defined when using toolUse and toolResult content blocks.");
}

export function converseUsage({ usage }: Completion) {
  const total = usage.inputTokens + usage.outputTokens + usage.cacheReadInputTokens + usage.cacheWriteInputTokens;
  return { ...usage, totalTokens: total };
}

function answer(completion: Completion): unknown {
  const content = [
    ...(completion.reasoning === undefined
      ? []
      : [{ reasoningContent: { reasoningText: { text: completion.reasoning, signature: "c3RhbmQtaW4=" } } }]),
    ...(completion.text === undefined ? [] : [{ text: completion.text }]),
    ...completion.toolUses.map(({ id, name, input }) => ({ toolUse: { toolUseId: id, name, input } })),
  ];
  return {
    metrics: { latencyMs: 1 },
    output: { message: { content, role: "assistant" } },
    stopReason: completion.stopReason,
    usage: converseUsage(completion),
  };
}

function* events(completion: Completion): Generator<readonly [string, unknown]> {
  yield ["messageStart", { role: "assistant" }];
  let index = 0;
  if (completion.reasoning !== undefined) {
    for (const text of pieces(completion.reasoning)) yield delta(index, { reasoningContent: { text } });
    yield delta(index, { reasoningContent: { signature: "c3RhbmQtaW4=" } });
    yield ["contentBlockStop", { contentBlockIndex: index++ }];
  }
  if (completion.text !== undefined) {
    for (const text of pieces(completion.text)) yield delta(index, { text });
    yield ["contentBlockStop", { contentBlockIndex: index++ }];
  }
  for (const { id, name, input } of completion.toolUses) {
    yield ["contentBlockStart", { contentBlockIndex: index, start: { toolUse: { toolUseId: id, name } } }];
    for (const fragment of JSON.stringify(input).match(/.{1,16}/gs) ?? [])
      yield delta(index, { toolUse: { input: fragment } });
    yield ["contentBlockStop", { contentBlockIndex: index++ }];
  }
  yield ["messageStop", { stopReason: completion.stopReason }];
  yield ["metadata", { metrics: { latencyMs: 1 }, usage: converseUsage(completion) }];
}

function delta(contentBlockIndex: number, part: unknown): readonly [string, unknown] {
  return ["contentBlockDelta", { contentBlockIndex, delta: part, p: "abcdefgh" }];
}
