import { memoryStore } from "@onbehalf/service-kit";
import { expect, it } from "vitest";
import { createAsk } from "./ask.ts";
import { createConversations } from "./conversation.ts";
import { GraphError, type Table } from "./graph/graph.ts";
import type { Session } from "./graph/session.ts";
import type { Llm } from "./llm-client.ts";

const table: Table = {
  columns: ["who"],
  rows: [[{ type: "uri", value: "http://example.com/bob" }]],
  truncated: false,
};
const usage = { inputTokens: 1, outputTokens: 1 };
const query = "SELECT ?who { ?who ?is ?what }";
const caller = { kind: "client", clientId: "laptop" } as const;
const question = {
  text: "Who is Bob?",
  conversationId: undefined,
  thinkMode: "standard",
  app: {
    id: "demo",
    name: "Demo",
    connection: "c",
    model: "default",
    dataset: { database: "d", namedGraphs: [], reasoning: false },
  },
  clientId: undefined,
} as const;

/** A graph that answers, and says by `sources` where its answers come from. */
function sessionWith(sources: Session["sources"]): Session {
  return {
    description: async () => ({ schema: "", graphs: new Map() }),
    parse: (text) => ({ form: "select", text }),
    run: async () => table,
    search: async () => table,
    describe: async () => table,
    sources,
    forModel: () => "http://example.com/bob",
  };
}

/** A model that asks the graph once and then answers. */
function model(): Llm {
  const replies = [
    { text: "", toolCalls: [{ id: "1", name: "run_sparql", input: { query, question: "who" } }], stop: "tools" },
    { text: "Bob is an engineer.", toolCalls: [], stop: "end" },
  ] as const;
  let turn = 0;
  return async () => ({ ...(replies[turn++] ?? replies[1]), usage });
}

function askedOf(sources: Session["sources"]) {
  const conversations = createConversations({
    store: memoryStore({ maxEntries: 10 }),
    ttlSeconds: 60,
    onFailure: (error) => expect.unreachable(String(error)),
  });
  const context = {
    caller,
    llm: model(),
    session: sessionWith(sources),
    signal: new AbortController().signal,
    mode: "run",
    onEvent: () => {},
  } as const;
  const recall = (id: string) => conversations.recall({ owner: ["", "laptop"], app: "demo", id });
  return { answer: createAsk({ conversations })(question, context), recall };
}

it("an answer is given and remembered where the graph cannot say where it comes from", async () => {
  const { answer, recall } = askedOf(() => Promise.reject(new GraphError("too_slow", "It took too long.")));
  const { result, actions, conversation_id } = await answer;
  expect(result).toBe("Bob is an engineer.");
  expect(actions.map(({ type }) => type)).toContain("sparql");
  expect(actions.map(({ type }) => type)).not.toContain("provenance");
  expect(await recall(conversation_id)).toEqual([{ question: "Who is Bob?", answer: "Bob is an engineer." }]);
});

it("a fault of this service's own is told all the same", async () => {
  const { answer } = askedOf(() => Promise.reject(new TypeError("a mistake")));
  await expect(answer).rejects.toThrow("a mistake");
});
