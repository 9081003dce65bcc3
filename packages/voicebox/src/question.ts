import { z } from "zod";
import type { Dataset } from "./graph/graph.ts";

/** How long and how hard to think. */
export type ThinkMode = "standard" | "lite" | "fast";

/** Which application asks, and what it is bound to. */
export interface AppContext {
  readonly id: string;
  readonly name: string;
  /** Name of a configured connection; undefined for the default one. */
  readonly connection: string | undefined;
  readonly dataset: Dataset;
  /** Name of the data model, for the model to know. */
  readonly model: string | undefined;
}

/** One question, whichever way it came. */
export interface Question {
  readonly text: string;
  readonly conversationId: string | undefined;
  readonly thinkMode: ThinkMode;
  readonly app: AppContext;
  /** X-Client-Id of the public API. */
  readonly clientId: string | undefined;
}

/** As many as Launchpad lets through: what it has told a person is not too long must not be so here. */
const maxQuestionLength = 8_000;
const name = z.string().min(1).max(255);
/** Absent and null say the same in the clients' JSON. */
const optional = <T extends z.ZodType>(schema: T) => schema.nullish().transform((value) => value ?? undefined);

const appSchema = z.object({
  id: name,
  name: optional(name),
  connection: optional(name),
  database: optional(name),
  model: optional(name),
  named_graphs: optional(z.array(z.string().min(1).max(2_000)).max(100)),
  reasoning: optional(z.boolean()),
});

const aQuestion = `expected a question, 1 to ${maxQuestionLength} characters`;
const text = z.string(aQuestion).trim().min(1, aQuestion).max(maxQuestionLength, aQuestion);

/** The body of the three question routes: `query`, or `message` as the Okta guide has it. */
export const questionSchema = z
  .object(
    {
      query: optional(text),
      message: optional(text),
      conversation_id: optional(z.guid("expected the conversation_id of an earlier answer, or null")),
      think_mode: optional(z.enum(["standard", "lite", "fast"], "expected standard, lite or fast")),
      client_id: optional(name),
      app: optional(appSchema),
    },
    'expected an object such as {"query": "Who is Bob?"}',
  )
  .transform((body, context): Question => {
    const asked = body.query ?? body.message;
    if (asked === undefined) {
      context.issues.push({
        code: "custom",
        message: "expected the question in `query`",
        input: body,
        path: ["query"],
      });
      return z.NEVER;
    }
    return {
      text: asked,
      conversationId: body.conversation_id,
      thinkMode: body.think_mode ?? "standard",
      clientId: body.client_id,
      app: appContext(body.app),
    };
  });

function appContext(app: z.output<typeof appSchema> | undefined): AppContext {
  return {
    id: app?.id ?? "default",
    name: app?.name ?? app?.id ?? "default",
    connection: app?.connection,
    model: app?.model,
    dataset: { database: app?.database, namedGraphs: app?.named_graphs ?? [], reasoning: app?.reasoning ?? false },
  };
}
