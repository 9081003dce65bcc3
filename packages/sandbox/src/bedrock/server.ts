import { ConfigError, type Service, type ServiceIo } from "@onbehalf/service-kit";
import { failInstead, readBody, sendError, sendEvents, sendJson, sendXml } from "./answering.ts";
import { createCalls } from "./calls.ts";
import { converse } from "./converse.ts";
import { createFaults } from "./faults.ts";
import { getInferenceProfile, listInferenceProfiles } from "./inference-profiles.ts";
import { countTokens, invoke } from "./invoke.ts";
import { createListener, type Incoming, type Outgoing } from "./listener.ts";
import type { Operation } from "./operation.ts";
import { Refusal } from "./refusal.ts";
import type { Rule } from "./rule.ts";
import { rules as demoRules } from "./rules/index.ts";
import { createSignatureVerifier, type Principal, Refused } from "./signature.ts";
import { createSts } from "./sts.ts";

export interface BedrockOptions extends ServiceIo {
  readonly host?: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** The variable to name when the port is taken. */
  readonly portVariable?: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of calls that are not signed for one. */
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
 * A stand-in for the Bedrock runtime and its inference profiles, with a small STS beside it: checks signatures as AWS
 * does, speaks its wire, and answers by rule. Its answers say that it is not a model. `POST /sandbox/faults` makes it
 * fail, `GET /sandbox/calls` shows what it was told about who asks.
 * @throws ConfigError when the port is taken
 */
export async function startBedrock(options: BedrockOptions): Promise<Service> {
  const parts: Parts = { faults: createFaults(), calls: createCalls(), sts: createSts() };
  const answer = createAnswering(options, parts);
  const listener = createListener(async (incoming, outgoing, cut) => {
    try {
      const path = incoming.url ?? "/";
      if (path.startsWith("/sandbox/faults")) await tellFaults(incoming, outgoing, parts.faults);
      else if (path === "/sandbox/calls") sendJson(outgoing, 200, { calls: parts.calls.list() });
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

interface Parts {
  readonly faults: ReturnType<typeof createFaults>;
  readonly calls: ReturnType<typeof createCalls>;
  readonly sts: ReturnType<typeof createSts>;
}

function createAnswering(options: BedrockOptions, { faults, calls, sts }: Parts) {
  const { accessKeyId, secretAccessKey, bearerKey, now } = options;
  const owner: Principal = { accessKeyId, secretAccessKey, arn: "arn:aws:iam::000000000000:user/sandbox" };
  const common = { ...(bearerKey === undefined ? {} : { bearerKey }), ...(now === undefined ? {} : { now }) };
  const ownerOnly = (id: string): Principal | undefined => (id === accessKeyId ? owner : undefined);
  const verify = createSignatureVerifier({
    ...common,
    service: "bedrock",
    principal: (id) => ownerOnly(id) ?? sts.session(id),
  });
  const verifySts = createSignatureVerifier({ ...common, service: "sts", principal: ownerOnly });
  const rules = options.rules ?? demoRules;
  const delayMs = options.eventDelayMs ?? defaultEventDelayMs;

  return async (incoming: Incoming, outgoing: Outgoing, cut: () => void): Promise<void> => {
    const body = await readBody(incoming);
    const [path = "/", search = ""] = (incoming.url ?? "/").split("?");
    const query = Object.fromEntries(new URLSearchParams(search));
    const request = { method: incoming.method ?? "GET", path, query, headers: incoming.headers, body };
    if (path === "/" && request.method === "POST") {
      await verifySts(request);
      sendXml(outgoing, sts.assumeRole(new URLSearchParams(body.toString("utf8"))));
      return;
    }
    const { principal, region = options.region } = await verify(request);
    const profiles = profilesAsked(request.method, path);
    if (profiles !== undefined) {
      const { name, id } = profiles;
      const fault = faults.take(name, id ?? "");
      calls.add({ operation: name, model: id ?? "", arn: principal.arn, tags: principal.tags ?? {} });
      const answered = id === undefined ? listInferenceProfiles(query, region) : getInferenceProfile(id, region);
      if (!(await failInstead(fault, outgoing, cut))) sendJson(outgoing, 200, answered);
      return;
    }
    const { name, model, operation } = findOperation(request.method, path);
    const parsed: unknown = JSON.parse(body.toString("utf8"));
    const fault = faults.take(name, model);
    const said = incoming.headers["x-amzn-bedrock-request-metadata"];
    const requestMetadata = typeof said === "string" ? JSON.parse(said) : metadataOf(parsed);
    calls.add({ operation: name, model, arn: principal.arn, tags: principal.tags ?? {}, requestMetadata });
    const guarded = incoming.headers["x-amzn-bedrock-guardrailidentifier"] !== undefined;
    const betas = String(incoming.headers["anthropic-beta"] ?? "")
      .split(",")
      .map((beta) => beta.trim())
      .filter(Boolean);
    const result = operation.run(parsed, { model, rules, guarded, betas });
    if (await failInstead(fault, outgoing, cut)) return;
    if (operation.streamed) await sendEvents(outgoing, result.events(), { delayMs, fault, cut });
    else sendJson(outgoing, 200, result.json(), result.headers);
  };
}

/** The two operations of the control plane that clients of the runtime call, too; they carry no body. */
function profilesAsked(method: string, path: string) {
  const match = /^\/inference-profiles(?:\/([^/]+))?$/.exec(path);
  if (match === null || method !== "GET") return undefined;
  const [, id] = match;
  return id === undefined
    ? { name: "list-inference-profiles", id }
    : { name: "get-inference-profile", id: decodeURIComponent(id) };
}

function findOperation(method: string, path: string) {
  const match = /^\/model\/([^/]+)\/([a-z-]+)$/.exec(path);
  const name = match?.[2] ?? "";
  const operation = operations[name];
  if (operation === undefined || method !== "POST") {
    throw new Refusal(404, "UnknownOperationException", "The stand-in has no such operation.");
  }
  return { name, model: decodeURIComponent(match?.[1] ?? ""), operation };
}

function metadataOf(body: unknown): unknown {
  return typeof body === "object" && body !== null && "requestMetadata" in body ? body.requestMetadata : undefined;
}

/**
 * `POST` adds a fault, `DELETE` forgets them all, `GET` lists those that wait. For people and tests: no signature. Not for
 * pages of a browser, which can be made to send anything anywhere, and then say from where.
 */
async function tellFaults(incoming: Incoming, outgoing: Outgoing, faults: Parts["faults"]): Promise<void> {
  if (incoming.headers.origin !== undefined)
    throw new Refused("AccessDeniedException", "The switches are not for pages of a browser; use curl.");
  const body = await readBody(incoming);
  if (incoming.method === "POST") faults.add(JSON.parse(body.toString("utf8")));
  else if (incoming.method === "DELETE") faults.clear();
  sendJson(outgoing, 200, { faults: faults.waiting() });
}
