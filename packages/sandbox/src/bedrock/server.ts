import { randomUUID } from "node:crypto";
import type { Service } from "@onbehalf/service-kit";
import { ZodError } from "zod";
import { converse } from "./converse.ts";
import { eventFrame } from "./frames.ts";
import { createListener, type Incoming, type Outgoing } from "./listener.ts";
import type { Operation } from "./operation.ts";
import type { Rule } from "./rule.ts";
import { createSignatureVerifier, Refused } from "./signature.ts";

export interface BedrockOptions {
  readonly host?: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
  /** A Bedrock API key, accepted beside signatures. */
  readonly bearerKey?: string;
  readonly rules?: readonly Rule[];
  /** Pause between streamed events, so that a person sees them come. Default 15; 0 for none. */
  readonly eventDelayMs?: number;
  readonly now?: () => number;
}

const defaultEventDelayMs = 15;
const maxBodyBytes = 25 * 1024 * 1024;

const operations: Readonly<Record<string, { readonly run: Operation; readonly streamed: boolean }>> = {
  converse: { run: converse, streamed: false },
  "converse-stream": { run: converse, streamed: true },
};

/**
 * A stand-in for the Bedrock runtime: checks signatures as AWS does, speaks its wire, and answers by rule.
 * Its answers say that it is not a model.
 */
export async function startBedrock(options: BedrockOptions): Promise<Service> {
  const verify = createSignatureVerifier({
    service: "bedrock",
    region: options.region,
    principal: (accessKeyId) =>
      accessKeyId === options.accessKeyId
        ? { accessKeyId, secretAccessKey: options.secretAccessKey, arn: "arn:aws:iam::000000000000:user/sandbox" }
        : undefined,
    ...(options.bearerKey === undefined ? {} : { bearerKey: options.bearerKey }),
    ...(options.now === undefined ? {} : { now: options.now }),
  });
  const rules = options.rules ?? [];
  const delayMs = options.eventDelayMs ?? defaultEventDelayMs;

  const listener = createListener(async (incoming, outgoing) => {
    try {
      const url = new URL(incoming.url ?? "/", "http://stand-in");
      const body = await readBody(incoming);
      const [rawPath = "/"] = (incoming.url ?? "/").split("?");
      const query = Object.fromEntries(url.searchParams);
      await verify({ method: incoming.method ?? "GET", path: rawPath, query, headers: incoming.headers, body });
      const match = /^\/model\/([^/]+)\/([a-z-]+)$/.exec(rawPath);
      const operation = match === null ? undefined : operations[match[2] ?? ""];
      if (match === null || operation === undefined || incoming.method !== "POST") {
        throw new Fault(404, "UnknownOperationException", "The stand-in has no such operation.");
      }
      const context = { model: decodeURIComponent(match[1] ?? ""), rules };
      const answer = operation.run(JSON.parse(body.toString("utf8")), context);
      if (operation.streamed) await sendEvents(outgoing, answer.events(), delayMs);
      else sendJson(outgoing, 200, answer.json());
    } catch (error) {
      sendError(outgoing, error);
    }
  });
  const host = options.host ?? "127.0.0.1";
  const port = await listener.listen(options.port, host);
  return { name: "bedrock stand-in", url: `http://${host}:${port}`, port, close: listener.close };
}

class Fault extends Error {
  readonly status: number;
  readonly type: string;
  constructor(status: number, type: string, message: string) {
    super(message);
    this.status = status;
    this.type = type;
  }
}

async function readBody(incoming: Incoming): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes)
      throw new Fault(413, "RequestEntityTooLargeException", "The request is larger than 25 MB.");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function sendJson(outgoing: Outgoing, status: number, body: unknown, headers: Record<string, string> = {}): void {
  const bytes = Buffer.from(JSON.stringify(body));
  outgoing.writeHead(status, {
    "content-type": "application/json",
    "content-length": String(bytes.length),
    "x-amzn-requestid": randomUUID(),
    ...headers,
  });
  outgoing.end(bytes);
}

async function sendEvents(
  outgoing: Outgoing,
  events: Iterable<readonly [string, unknown]>,
  delayMs: number,
): Promise<void> {
  outgoing.writeHead(200, { "content-type": "application/vnd.amazon.eventstream", "x-amzn-requestid": randomUUID() });
  let gone = false;
  outgoing.once("close", () => {
    gone = true;
  });
  for (const [type, payload] of events) {
    if (gone) return;
    if (!outgoing.write(eventFrame(type, payload))) await drained(outgoing);
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
  }
  outgoing.end();
}

function drained(outgoing: Outgoing): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      outgoing.off("drain", done);
      outgoing.off("close", done);
      resolve();
    };
    outgoing.once("drain", done);
    outgoing.once("close", done);
  });
}

function sendError(outgoing: Outgoing, error: unknown): void {
  const { status, type, message } = describe(error);
  sendJson(
    outgoing,
    status,
    { message },
    { "x-amzn-errortype": `${type}:http://internal.amazon.com/coral/com.amazon.bedrock/` },
  );
}

function describe(error: unknown): { status: number; type: string; message: string } {
  if (error instanceof Fault) return error;
  if (error instanceof Refused) return { status: 403, type: error.type, message: error.message };
  if (error instanceof ZodError) {
    const problems = error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
    return { status: 400, type: "ValidationException", message: `Malformed input request: ${problems.join("; ")}` };
  }
  if (error instanceof SyntaxError || error instanceof TypeError) {
    return { status: 400, type: "ValidationException", message: error.message };
  }
  return { status: 500, type: "InternalServerException", message: "The stand-in failed; its console says how." };
}
