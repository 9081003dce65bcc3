import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";
import { encodeFrame } from "../streams/event-stream.ts";

/**
 * What is answered: as JSON to one who asks for a whole answer, and these bytes to one who asks for a stream; those
 * `late` come when the others have been read.
 */
export interface Script {
  readonly status?: number;
  readonly whole?: unknown;
  readonly stream?: string | Buffer;
  readonly late?: string | Buffer;
}

const latenessMs = 30;

/** A provider of a test's own that says what it is told to say, whatever it is asked. */
export async function startScripted() {
  let scripts: readonly Script[] = [];
  const server = createServer(async (request, response) => {
    const body = JSON.parse(await text(request));
    const streams = body.stream === true || /-stream$/.test(request.url ?? "");
    const { status = 200, whole, stream, late } = scripts[0] ?? {};
    if (scripts.length > 1) scripts = scripts.slice(1);
    if (!streams || status >= 400) {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(whole));
      return;
    }
    const type = typeof stream === "string" ? "text/event-stream" : "application/vnd.amazon.eventstream";
    response.writeHead(200, { "content-type": type });
    response.write(stream ?? "");
    if (late !== undefined) await setTimeout(latenessMs);
    response.end(late);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** One after another, and the last one from then on. */
    says(...said: readonly Script[]): void {
      scripts = said;
    },
    close(): void {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Chat-completion chunks, each of one choice, and their end. */
export function chatChunks(...choices: readonly object[]): string {
  const chunks = choices.map((choice) => ({ id: "c", object: "chat.completion.chunk", choices: [choice] }));
  const usage = { ...chunks[0], choices: [], usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } };
  return `${[...chunks, usage].map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join("")}data: [DONE]\n\n`;
}

type ConverseEvent = readonly [type: string, event: object];

/** A converse-stream, as pairs of its events' types and what they say, with a count behind them. */
export function converseFrames(...events: readonly ConverseEvent[]): Buffer {
  const usage = { inputTokens: 3, outputTokens: 2, totalTokens: 5 };
  return frames(["messageStart", { role: "assistant" }], ...events, ["metadata", { usage }]);
}

export function frames(...events: readonly ConverseEvent[]): Buffer {
  const told = events.map(([type, event]) =>
    encodeFrame({ ":message-type": "event", ":event-type": type }, JSON.stringify(event)),
  );
  return Buffer.concat(told);
}

/** Chunks of InvokeModelWithResponseStream, each one of Anthropic's events. */
export function invokeFrames(...events: readonly object[]): Buffer {
  const chunk = (event: object) => ({ bytes: Buffer.from(JSON.stringify(event)).toString("base64") });
  return frames(...events.map((event): ConverseEvent => ["chunk", chunk(event)]));
}
