import { ConfigError, type Service, type ServiceIo } from "@onbehalf/service-kit";
import { failInstead, readBody, sendError, sendEvents, sendJson } from "./answering.ts";
import { converse } from "./converse.ts";
import { createFaults } from "./faults.ts";
import { countTokens, invoke } from "./invoke.ts";
import { createListener, type Incoming, type Outgoing } from "./listener.ts";
import type { Operation } from "./operation.ts";
import { Refusal } from "./refusal.ts";
import type { Rule } from "./rule.ts";
import { rules as demoRules } from "./rules/index.ts";
import { createSignatureVerifier } from "./signature.ts";

export interface BedrockOptions extends ServiceIo {
  readonly host?: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** The variable to name when the port is taken. */
  readonly portVariable?: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
  /** A Bedrock API key, accepted beside signatures. */
  readonly bearerKey?: string;
  /** Asked in order; those of the demo when absent. */
  readonly rules?: readonly Rule[];
  /** Pause between streamed events, so that a person sees them come. Default 15; 0 for none. */
  readonly eventDelayMs?: number;
  readonly now?: () => number;
}

const defaultEventDelayMs = 15;

const operations: Readonly<Record<string, { readonly run: Operation; readonly streamed: boolean }>> = {
  converse: { run: converse, streamed: false },
  "converse-stream": { run: converse, streamed: true },
  invoke: { run: invoke, streamed: false },
  "invoke-with-response-stream": { run: invoke, streamed: true },
  "count-tokens": { run: countTokens, streamed: false },
};

/**
 * A stand-in for the Bedrock runtime: checks signatures as AWS does, speaks its wire, and answers by rule.
 * Its answers say that it is not a model. `POST /sandbox/faults` makes it fail.
 * @throws ConfigError when the port is taken
 */
export async function startBedrock(options: BedrockOptions): Promise<Service> {
  const faults = createFaults();
  const answer = createAnswering(options, faults);
  const listener = createListener(async (incoming, outgoing, cut) => {
    try {
      if ((incoming.url ?? "/").startsWith("/sandbox/faults")) await tellFaults(incoming, outgoing, faults);
      else await answer(incoming, outgoing, cut);
    } catch (error) {
      sendError(outgoing, error);
    }
  });
  const host = options.host ?? "127.0.0.1";
  const port = await listener.listen(options.port, host).catch((cause: unknown) => {
    const name = options.portVariable ?? "port";
    throw new ConfigError([{ name, problem: `cannot listen on ${host}:${options.port}; is it taken?` }], { cause });
  });
  return { name: "bedrock stand-in", url: `http://${host}:${port}`, port, close: listener.close };
}

function createAnswering(options: BedrockOptions, faults: ReturnType<typeof createFaults>) {
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
  const rules = options.rules ?? demoRules;
  const delayMs = options.eventDelayMs ?? defaultEventDelayMs;

  return async (incoming: Incoming, outgoing: Outgoing, cut: () => void): Promise<void> => {
    const body = await readBody(incoming);
    const [path = "/", search = ""] = (incoming.url ?? "/").split("?");
    const query = Object.fromEntries(new URLSearchParams(search));
    await verify({ method: incoming.method ?? "GET", path, query, headers: incoming.headers, body });
    const match = /^\/model\/([^/]+)\/([a-z-]+)$/.exec(path);
    const name = match?.[2] ?? "";
    const operation = operations[name];
    if (match === null || operation === undefined || incoming.method !== "POST") {
      throw new Refusal(404, "UnknownOperationException", "The stand-in has no such operation.");
    }
    const model = decodeURIComponent(match[1] ?? "");
    const fault = faults.take(name, model);
    const guarded = incoming.headers["x-amzn-bedrock-guardrailidentifier"] !== undefined;
    const result = operation.run(JSON.parse(body.toString("utf8")), { model, rules, guarded });
    if (await failInstead(fault, outgoing, cut)) return;
    if (operation.streamed) await sendEvents(outgoing, result.events(), { delayMs, fault, cut });
    else sendJson(outgoing, 200, result.json(), result.headers);
  };
}

/** `POST` adds a fault, `DELETE` forgets them all, `GET` lists those that wait. For people and tests: no signature. */
async function tellFaults(
  incoming: Incoming,
  outgoing: Outgoing,
  faults: ReturnType<typeof createFaults>,
): Promise<void> {
  const body = await readBody(incoming);
  if (incoming.method === "POST") faults.add(JSON.parse(body.toString("utf8")));
  else if (incoming.method === "DELETE") faults.clear();
  sendJson(outgoing, 200, { faults: faults.waiting() });
}
