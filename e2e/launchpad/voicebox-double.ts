import {
  createLogger,
  errorHandler,
  type RequestVariables,
  requestContext,
  type Service,
  serve,
} from "@onbehalf/service-kit";
import { createVerifier, type Identity, type IssuerOptions } from "@onbehalf/shared-auth";
import { type AuthVariables, authenticate } from "@onbehalf/shared-auth/hono";
import { type Context, Hono } from "hono";

type Env = { Variables: RequestVariables & AuthVariables };

import { report } from "./reports.ts";

/** What the double received, as whom. */
export interface Received {
  readonly path: string;
  readonly identity: Identity;
  readonly token: string;
  readonly body: Record<string, unknown>;
  readonly headers: Headers;
}

/** Answers a question its own way; undefined leaves it to the double. */
export type Behaviour = (c: Context<Env>, received: Received) => Response | Promise<Response> | undefined;

export interface VoiceboxDouble {
  readonly service: Service;
  readonly received: Received[];
  /** Streams that were closed from the other side. */
  readonly abandoned: () => number;
  behave(behaviour: Behaviour | undefined): void;
}

/**
 * Stands where Voicebox stands, with its way of verifying and real tokens, but knows only who asks: for tests of what
 * Launchpad does.
 */
export async function startVoiceboxDouble(
  issuers: readonly IssuerOptions[],
  port: number,
  destination: { write(text: string): void },
): Promise<VoiceboxDouble> {
  const received: Received[] = [];
  let behaviour: Behaviour | undefined;
  let abandoned = 0;
  const log = createLogger({ service: "voicebox", destination });
  const app = new Hono<Env>();
  app.onError(errorHandler());
  app.use(requestContext({ service: "voicebox", log }));
  app.get("/system/health", (c) => c.body(null, 204));
  app.use(authenticate(createVerifier({ issuers, allowApps: true })));

  app.all("*", async (c) => {
    const body = c.req.method === "POST" ? ((await c.req.json()) as Record<string, unknown>) : {};
    const { identity, subject } = c.var;
    const one: Received = { path: c.req.path, identity, token: subject.token, body, headers: c.req.raw.headers };
    received.push(one);
    const own = await behaviour?.(c, one);
    if (own !== undefined) return own;
    if (c.req.path.startsWith("/api/trail/")) return c.json({ trace_id: c.req.path.slice(11), hops: hops(one, c) });
    const figures = report(c.req.path, identity);
    if (figures !== undefined) return c.json(figures as object);
    const answer = whoAmI(identity);
    if (!c.req.path.endsWith("/stream/ask")) return c.json(answer);
    return c.body(
      stream(answer, () => (abandoned += 1)),
      200,
      { "content-type": "application/x-ndjson" },
    );
  });

  const service = await serve({
    name: "voicebox",
    app,
    host: "127.0.0.1",
    port,
    portVariable: "VOICEBOX_PORT",
    log,
    graceSeconds: 1,
  });
  return { service, received, abandoned: () => abandoned, behave: (next) => (behaviour = next) };
}

function whoAmI({ subject, name }: Identity) {
  const actions = [
    { type: "sparql", value: "SELECT ?name WHERE { ?me :name ?name }" },
    { type: "csv", value: `name,subject\n"${name ?? ""}",${subject}\n` },
  ];
  return {
    result: `You are **${subject}**.`,
    conversation_id: "2b1f9a52-7a53-4c1e-8a34-2a6f2b1f9a52",
    message_id: "9f9a6d54-4f5c-4a77-9f0e-5a0d8a1f2c3b",
    actions,
  };
}

/** Three snapshots, each the whole so far. */
function stream(answer: ReturnType<typeof whoAmI>, onCancel: () => void): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const line = (value: object): Uint8Array => encoder.encode(`${JSON.stringify(value)}\n`);
  return new ReadableStream({
    start(controller) {
      controller.enqueue(line({ ...answer, result: "You", actions: [], pending: true }));
      controller.enqueue(line({ ...answer, result: "You are", actions: [], pending: true }));
      controller.enqueue(line({ ...answer, pending: false }));
      controller.close();
    },
    cancel: onCancel,
  });
}

/** What a gateway has on record of a call to a model. */
const detail = {
  model: "claude-sonnet-4-5",
  provider_model: "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
  prompt_tokens: 1_200,
  completion_tokens: 300,
  tokens: 1_500,
  cost_usd: 0.0081,
  first_token_ms: 420,
};

function hops({ identity }: Received, c: Context<Env>) {
  const { issuer, subject, audience, scopes, clientId, groups, expiresAt } = identity;
  const shown = {
    issuer,
    subject,
    audience,
    scopes,
    client_id: clientId,
    groups,
    actors: [],
    kind: "user",
    credential: "jwt",
  };
  const hop = { service: "voicebox", trace_id: c.req.path.slice(11), request_id: "r", at: new Date().toISOString() };
  const result = {
    route: "POST /api/v1/voicebox/stream/ask",
    status: 200,
    outcome: "ok",
    error_code: null,
    duration_ms: 12,
  };
  const who = { ...shown, email: identity.email ?? null, name: identity.name ?? null, expires_at: expiresAt };
  return [
    { ...hop, ...result, identity: who, exchange: null, app: "demo", detail: {} },
    { ...hop, ...result, service: "gateway", request_id: "g", identity: who, exchange: null, app: "demo", detail },
  ];
}
