import { z } from "zod";

/** Longer questions are documents: they belong into the graph. */
export const maxQuestionLength = 8_000;

const aQuestion = `expected a question, 1 to ${maxQuestionLength} characters`;
const question = z
  .string(aQuestion)
  .trim()
  .min(1, aQuestion)
  .max(maxQuestionLength, aQuestion)
  .describe("The question, in plain language.");

/** What `ask`, `stream/ask` and `generate-query` take. `message` is another name for `query`. */
export const askRequest = z
  .object(
    {
      query: question.optional(),
      message: question.optional().describe("Another name for `query`."),
      conversation_id: z
        .guid("expected the conversation_id of an earlier answer, or null")
        .nullish()
        .describe("From an earlier answer, to go on with that conversation."),
      think_mode: z.enum(["standard", "lite", "fast"], "expected standard, lite or fast").optional(),
    },
    'expected an object such as {"query": "Who is Bob?"}',
  )
  .refine(({ query, message }) => query !== undefined || message !== undefined, {
    error: "say what you want to know in `query`",
    path: ["query"],
  });

export type AskRequest = z.output<typeof askRequest>;

export const action = z.looseObject({
  type: z.string().describe("`rewritten_query`, `sparql`, `reasoning`, `csv` or `provenance`."),
  label: z.string().nullish(),
  value: z
    .unknown()
    .describe(
      "Text; for `reasoning` JSON as text, for `provenance` an object, which clients that send the key as Bearer get as JSON text.",
    ),
});

/** An answer, whole. */
export const askAnswer = z.looseObject({
  result: z.string().nullable().describe("The answer, as Markdown."),
  conversation_id: z.string().nullish(),
  message_id: z.string().nullish(),
  actions: z.array(action).default([]),
});

/** One line of a streamed answer: everything so far, not only what is new. */
export const snapshot = z.looseObject({
  ...askAnswer.shape,
  pending: z.boolean().describe("True while more lines follow."),
  error: z
    .looseObject({ error: z.string(), message: z.string(), status: z.number().optional() })
    .optional()
    .describe("In the last line of an answer that could not be finished."),
});

/** An answer as far as it has come; the last one is whole. */
export type Snapshot = z.output<typeof snapshot>;

export const appAnswer = z.object({
  id: z.string(),
  name: z.string(),
  connection: z.string(),
  database: z.string(),
  model: z.string(),
  named_graphs: z.array(z.string()),
  reasoning: z.boolean(),
});

export const errorAnswer = z.object({
  error: z.string().describe("A code for programs."),
  message: z.string().describe("What was wrong and what to do, for people."),
  request_id: z.string().optional(),
});

/** The same with every action's value as text. */
export function withTextValues<Answer extends { readonly actions: readonly z.output<typeof action>[] }>(
  answer: Answer,
): Answer {
  const asText = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value ?? null));
  return { ...answer, actions: answer.actions.map((one) => ({ ...one, value: asText(one.value) })) };
}
