import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { decodeJwt } from "jose";

/** A call that reached the gateway. */
export interface SeenCall {
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: ChatRequest;
  /** Subject of the token that came along; undefined for a key. */
  readonly subject: string | undefined;
  /** Resolves when the caller has gone or the answer is complete. */
  readonly ended: Promise<"complete" | "aborted">;
}

export interface ChatRequest {
  readonly model: string;
  readonly stream?: boolean;
  readonly messages: readonly ChatMessage[];
  readonly tools?: readonly { readonly function: { readonly name: string } }[];
  readonly tool_choice?: string;
}

export interface ChatMessage {
  readonly role: "system" | "user" | "assistant" | "tool";
  readonly content: string | null;
  readonly tool_calls?: readonly { readonly function: { readonly name: string; readonly arguments: string } }[];
}

/** What the fake model does: calls tools, or says something. */
export type FakeReply =
  | { readonly calls: readonly { readonly name: string; readonly input: unknown }[] }
  | { readonly text: string }
  | {
      readonly status: number;
      readonly message: string;
      readonly headers?: Readonly<Record<string, string>>;
      /** Instead of the error envelope. */
      readonly body?: unknown;
    }
  /** Begins to stream and never ends. */
  | { readonly endless: string };
export type Behaviour = (call: SeenCall) => FakeReply | Promise<FakeReply>;

export interface FakeGateway {
  readonly url: string;
  readonly calls: readonly SeenCall[];
  behave(behaviour: Behaviour | undefined): void;
  close(): Promise<void>;
}

/** One query, then an answer that names whose token came along. */
const usual: Behaviour = ({ body, subject }) =>
  toolResults(body).length === 0
    ? { calls: [query("SELECT ?s WHERE { ?s ?p ?o } LIMIT 1")] }
    : { text: `answered for ${subject}` };

export function query(sparql: string, question = "the question") {
  return { name: "run_sparql", input: { query: sparql, question } };
}

/** What came back from tools since the last question. */
export function toolResults({ messages }: ChatRequest): readonly string[] {
  const asked = messages.findLastIndex(({ role }) => role === "user");
  return messages.slice(asked + 1).flatMap(({ role, content }) => (role === "tool" ? (content ?? "") : []));
}

export async function startFakeGateway(): Promise<FakeGateway> {
  const calls: SeenCall[] = [];
  let behave: Behaviour = usual;
  const server = createServer((request, response) => void handle(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const ended = once(response, "close").then(() =>
      response.writableFinished ? ("complete" as const) : ("aborted" as const),
    );
    const token = (request.headers.authorization ?? "").replace(/^Bearer /, "");
    const subject = token.split(".").length === 3 ? decodeJwt(token).sub : undefined;
    const body = (text === "" ? { model: "", messages: [] } : JSON.parse(text)) as ChatRequest;
    const call: SeenCall = { path: request.url ?? "", headers: request.headers, body, subject, ended };
    calls.push(call);
    answer(response, await behave(call), call);
  }

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    behave: (behaviour) => {
      behave = behaviour ?? usual;
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function answer(response: ServerResponse, reply: FakeReply, { body }: SeenCall): void {
  if ("status" in reply) {
    response.writeHead(reply.status, { "content-type": "application/json", ...reply.headers });
    const envelope = { error: { message: reply.message, type: "test", param: null, code: null } };
    response.end(JSON.stringify(reply.body ?? envelope));
  } else if (body.stream === true) {
    stream(response, reply);
  } else {
    const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
    const message = { role: "assistant", content: "text" in reply ? reply.text : null, tool_calls: toolCalls(reply) };
    const finish = "calls" in reply ? "tool_calls" : "stop";
    response.writeHead(200, { "content-type": "application/json" });
    response.end(
      JSON.stringify({
        id: "c",
        object: "chat.completion",
        choices: [{ index: 0, message, finish_reason: finish }],
        usage,
      }),
    );
  }
}

function toolCalls(reply: FakeReply) {
  if (!("calls" in reply)) return undefined;
  return reply.calls.map(({ name, input }, index) => ({
    index,
    id: `call_${index}_${crypto.randomUUID()}`,
    type: "function",
    function: { name, arguments: JSON.stringify(input) },
  }));
}

function stream(response: ServerResponse, reply: Exclude<FakeReply, { status: number }>): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  const send = (delta: unknown, finish: string | null = null) =>
    response.write(
      `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`,
    );
  if ("endless" in reply) return void send({ role: "assistant", content: reply.endless });
  if ("calls" in reply) send({ role: "assistant", tool_calls: toolCalls(reply) });
  else for (const word of reply.text.split(/(?<= )/)) send({ content: word });
  send({}, "calls" in reply ? "tool_calls" : "stop");
  const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
  response.write(`data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", choices: [], usage })}\n\n`);
  response.end("data: [DONE]\n\n");
}
