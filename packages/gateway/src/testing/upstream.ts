import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface SeenCall {
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Record<string, unknown>;
}

/** A Bedrock of a test's own: answers Converse with fixed usage, after a wait that the test sets. */
export interface TestUpstream {
  readonly url: string;
  readonly calls: readonly SeenCall[];
  /** Input and output tokens it claims. */
  usage: { inputTokens: number; outputTokens: number };
  /** Resolves before each answer. */
  before: () => Promise<void>;
  /** Another status than 200. */
  failure: { readonly status: number; readonly body: unknown } | undefined;
  close(): Promise<void>;
}

export async function startUpstream(): Promise<TestUpstream> {
  const calls: SeenCall[] = [];
  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    calls.push({ path: request.url ?? "", headers: request.headers, body: JSON.parse(text === "" ? "{}" : text) });
    await upstream.before();
    const { status, body } = upstream.failure ?? { status: 200, body: converseAnswer(upstream.usage) };
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  }
  const upstream: TestUpstream = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    usage: { inputTokens: 11, outputTokens: 7 },
    before: async () => {},
    failure: undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return upstream;
}

function converseAnswer({ inputTokens, outputTokens }: TestUpstream["usage"]) {
  return {
    output: { message: { role: "assistant", content: [{ text: "Bob is an engineer." }] } },
    stopReason: "end_turn",
    usage: { inputTokens, outputTokens, totalTokens: inputTokens + outputTokens },
    metrics: { latencyMs: 1 },
  };
}
