import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttp2Server, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import type { AddressInfo } from "node:net";
import { ClientGone, createLogger, ShuttingDown } from "@onbehalf/service-kit";
import { z } from "zod";
import type { CallerTag, Settlement } from "./call.ts";
import { bedrockSettings, billingSettings, modelEntry, routerSettings } from "./deployments.ts";
import { dialects } from "./dialects/index.ts";
import { GatewayError } from "./errors.ts";
import { createForward } from "./forward.ts";
import { findRoute } from "./routes.ts";

/** Credentials the tests' stand-in and gateway share. */
export const testAws = { accessKeyId: "AKIDTEST", secretAccessKey: "test-secret", region: "us-east-1" } as const;

export const testCaller: CallerTag = {
  userId: "alice",
  subject: "alice",
  issuer: "https://issuer.example",
  teamId: "blue",
  clientId: "voicebox",
  traceId: "0af7651916cd43dd8448eb211c80319c",
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  token: undefined,
  expiresAt: undefined,
};

export interface ForwardSetup {
  readonly models: readonly z.input<typeof modelEntry>[];
  /** Base URL of the Bedrock stand-in. */
  readonly bedrockUrl?: string;
  readonly bedrock?: z.input<typeof bedrockSettings>;
  readonly billing?: z.input<typeof billingSettings>;
  readonly router?: z.input<typeof routerSettings>;
  readonly caller?: Partial<CallerTag>;
  /** Speak HTTP/2 with prior knowledge instead of HTTP/1.1. */
  readonly http2?: boolean;
}

/**
 * The gateway's second half behind a real HTTP server, without authentication and limits: what the tests of dialects,
 * routing and streams talk to.
 */
export async function startForwarding(setup: ForwardSetup) {
  const forwarding = createForward({
    models: z.array(modelEntry).parse(setup.models),
    env: {
      AWS_ACCESS_KEY_ID: testAws.accessKeyId,
      AWS_SECRET_ACCESS_KEY: testAws.secretAccessKey,
      AWS_REGION: testAws.region,
      AWS_ENDPOINT_URL_BEDROCK_RUNTIME: setup.bedrockUrl,
    },
    log: createLogger({ service: "test", level: "silent" }),
    bedrock: bedrockSettings.parse(setup.bedrock ?? {}),
    billing: billingSettings.parse(setup.billing ?? {}),
    router: routerSettings.parse(setup.router ?? {}),
  });
  const settlements: Settlement[] = [];
  const failures: GatewayError[] = [];
  const running = new Set<AbortController>();
  const answer = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const abort = new AbortController();
    running.add(abort);
    outgoing.once("close", () => {
      running.delete(abort);
      // As `serve` tells it.
      const { stream } = outgoing as unknown as Partial<Http2ServerResponse>;
      const whole = stream === undefined || (stream.rstCode === 0 && !stream.aborted);
      const sent = (stream ?? outgoing).writableFinished && whole;
      if (!sent) abort.abort(new ClientGone());
    });
    const path = (incoming.url ?? "/").split("?")[0] ?? "/";
    const route = findRoute(incoming.method ?? "GET", path);
    const dialect = dialects[route?.dialect ?? "openai-chat"];
    const requestId = "test-request";
    try {
      const id = /^\/model\/([^/]+)\//.exec(path)?.[1];
      const call = dialect.parse({
        path,
        params: id === undefined ? {} : { id: decodeURIComponent(id) },
        headers: headersOf(incoming),
        body: await bodyOf(incoming),
      });
      const caller = { ...testCaller, ...setup.caller };
      const context = { caller, requestId, signal: abort.signal, outgoing, headers: { "x-request-id": requestId } };
      settlements.push(await forwarding.forward(call, context));
    } catch (error) {
      const failure =
        error instanceof GatewayError ? error : new GatewayError("internal", String(error), { cause: error });
      failures.push(failure);
      refuse(outgoing, dialect.error(failure, requestId));
    }
  };
  const server = createServer(answer);
  // The two versions' requests and answers differ in what nothing here uses, as in the service itself.
  const http2 = createHttp2Server(
    answer as unknown as (incoming: Http2ServerRequest, outgoing: Http2ServerResponse) => void,
  );
  const listening = setup.http2 === true ? http2 : server;
  listening.listen(0, "127.0.0.1");
  await once(listening, "listening");
  const { port } = listening.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    settlements,
    failures,
    forwarding,
    /** What `serve` does when the shutdown grace is over. */
    shutDown(): void {
      for (const abort of running) abort.abort(new ShuttingDown());
    },
    async close(): Promise<void> {
      if (setup.http2 !== true) server.closeAllConnections();
      listening.close();
      await forwarding.close();
    },
  };
}

/** HTTP/2's own fields, which begin with a colon, are none. */
function headersOf({ headers }: IncomingMessage): Headers {
  const plain = Object.entries(headers).flatMap(([name, value]): [string, string][] =>
    name.startsWith(":") || value === undefined ? [] : [[name, String(value)]],
  );
  return new Headers(plain);
}

async function bodyOf(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function refuse(
  outgoing: ServerResponse,
  answer: { status: number; headers: Record<string, string>; body: string },
): void {
  if (outgoing.headersSent || outgoing.destroyed) return;
  outgoing.writeHead(answer.status, answer.headers);
  outgoing.end(answer.body);
}

/** Waits until a condition holds, for what happens after the client has its answer. */
export async function eventually(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200 && !condition(); tries += 1) await new Promise((resolve) => setTimeout(resolve, 10));
}
