import { createRandomHex, type Env, type InterruptionSignal, type Logger } from "@onbehalf/service-kit";
import type { Forward, ForwardContext, LlmCall } from "./call.ts";
import {
  type BedrockSettings,
  type BillingSettings,
  bedrockSettings,
  billingSettings,
  type Deployment,
  deploymentsOf,
  type ModelEntry,
  type Provider,
  type RouterSettings,
  routerSettings,
} from "./deployments.ts";
import { isObject, type JsonObject } from "./dialects/body.ts";
import type { Conversation } from "./dialects/conversation.ts";
import { translators } from "./dialects/translators.ts";
import { GatewayError } from "./errors.ts";
import { asksAgain, exhausted, retryDelayMs, retryPlace } from "./forward-retry.ts";
import { settlementOf } from "./forward-settlement.ts";
import { createRouter } from "./routing-health.ts";
import type { RelayLimits } from "./streams/clock.ts";
import { createDrains } from "./streams/drains.ts";
import { gather, inTurn } from "./streams/gather.ts";
import { type RelayResult, relay } from "./streams/relay.ts";
import { createAnthropicUpstream } from "./upstreams/anthropic/index.ts";
import { createBedrockUpstream } from "./upstreams/bedrock/index.ts";
import type { Exchange } from "./upstreams/exchange.ts";
import { createKeys } from "./upstreams/exchanged-key.ts";
import { createOpenaiUpstream } from "./upstreams/openai/index.ts";
import { createPools } from "./upstreams/pools.ts";
import type { Addressed, Outgoing, Upstream } from "./upstreams/upstream.ts";

interface ForwardOptions {
  readonly models: readonly ModelEntry[];
  /** AWS's variables: region, endpoint, static keys. */
  readonly env: Env;
  readonly log: Logger;
  readonly bedrock?: BedrockSettings | undefined;
  readonly billing?: BillingSettings | undefined;
  readonly router?: RouterSettings | undefined;
  /** What a model has no words for is left out, where its entry does not say otherwise. */
  readonly dropParams?: boolean | undefined;
}

/** The way to the models under one set of rules; a reload makes a new one. */
export interface Forwarding {
  readonly forward: Forward;
  /** The longest that one attempt may last, at whichever deployment, in milliseconds. */
  readonly longestMs: number;
  /** @throws GatewayError when no deployment can be used at all */
  ready(): Promise<void>;
  /** For a request that may come to forward something later on. @returns to be called when it no longer will */
  use(): () => void;
  /** The process goes: answers that nobody hears any more are read no longer, and count as far as they were read. */
  leaveAbandoned(): void;
  /** Waits for the requests that use this, then closes the connections upstream. */
  close(): Promise<void>;
  /** The deployments behind a name, as prices and records name them; none for a name that does not exist. */
  providerModels(model: string): readonly string[];
  /** The configured name of what a client asks for, which he may also call by the provider's id. */
  nameOf(model: string): string;
}

/** Everything behind authentication and limits: choose a deployment, translate, call, answer; again elsewhere if it failed. */
export function createForward(options: ForwardOptions): Forwarding {
  const settings = options.router ?? routerSettings.parse({});
  const billing = options.billing ?? billingSettings.parse({});
  const deployments = deploymentsOf(options.models, options.dropParams);
  const router = createRouter({ deployments, settings });
  const pools = createPools({ connectTimeoutMs: settings.connect_timeout * 1000 });
  const drains = billing.drain_on_abort ? createDrains(billing.drain_seconds * 1000) : undefined;
  const limitsOf = createLimitsOf(settings);
  const longestMs = Math.max(0, ...deployments.map((deployment) => limitsOf(deployment).totalMs));
  const attempt = createAttempt({ upstreams: upstreamsOf(options, deployments), pools, limitsOf, drains });
  const users = createUsers();
  warn(options.log, { deployments, settings, router });

  const failed = (deployment: Deployment, error: GatewayError): void => {
    // Called in the user's own name, it is the user whom the provider limits, and nobody else.
    if (error.code === "upstream_throttled" && deployment.params.token_exchange !== undefined) return;
    router.failed(deployment, error);
  };

  const forward: Forward = async (call, context) => {
    const startedAt = performance.now();
    const candidates = router.candidates(call.model);
    const prepare = preparation(call, context);
    const attempts = Math.max(candidates.length, 1 + settings.num_retries);
    let failure: GatewayError | undefined;
    let retried = false;
    for (let index = 0; index < attempts; index += 1) {
      const deployment = candidates[index % candidates.length];
      if (deployment === undefined) break;
      context.attempting?.(deployment.providerModel);
      let result: RelayResult;
      try {
        result = await attempt(prepare(deployment), context);
      } catch (error) {
        result = refused(error);
      }
      if (result.kind === "sent") {
        if (result.outcome === "error" && result.error !== undefined) failed(deployment, result.error);
        else router.succeeded(deployment);
        return settlementOf(result, call, deployment, startedAt);
      }
      retried ||= failure !== undefined;
      failure = result.error;
      const place = retryPlace(result.error);
      if (place === "nowhere" || context.signal.aborted) break;
      failed(deployment, result.error);
      options.log.debug({ deployment: deployment.providerModel, error_code: result.error.code }, "deployment failed");
      if (place === "elsewhere" && candidates.length === 1) break;
      if (index + 1 < candidates.length) continue;
      if (index + 1 >= attempts || asksAgain(call.raw.headers)) break;
      const delayMs = retryDelayMs(index + 1 - candidates.length, result.error);
      if (delayMs === undefined) break;
      await waited(delayMs, context.signal);
    }
    throw exhausted(failure ?? new GatewayError("internal", "The gateway tried no deployment."), retried);
  };

  return {
    forward,
    longestMs,
    use: users.enter,
    async ready() {
      if (deployments.length === 0) throw new GatewayError("model_not_found", "model_list is empty.");
      if (deployments.every(({ problem }) => problem !== undefined)) {
        throw new GatewayError("upstream_denied", `No deployment can be used: ${deployments[0]?.problem}.`);
      }
    },
    leaveAbandoned: () => drains?.cutAll(),
    async close() {
      await users.gone();
      await pools.close();
    },
    providerModels: (model) => router.find(model).map(({ providerModel }) => providerModel),
    nameOf: router.nameOf,
  };
}

function upstreamsOf(
  { bedrock, env }: ForwardOptions,
  deployments: readonly Deployment[],
): Readonly<Record<Provider, Upstream>> {
  const keyOf = createKeys(deployments);
  const openai = createOpenaiUpstream(keyOf);
  return {
    bedrock: createBedrockUpstream({ settings: bedrock ?? bedrockSettings.parse({}), env }),
    openai,
    azure: openai,
    anthropic: createAnthropicUpstream(keyOf),
  };
}

interface Configured {
  readonly deployments: readonly Deployment[];
  readonly settings: RouterSettings;
  readonly router: Pick<ReturnType<typeof createRouter>, "find">;
}

/** What is configured and cannot be used. */
function warn(log: Pick<Logger, "warn">, { deployments, settings, router }: Configured): void {
  for (const { name, problem } of deployments)
    if (problem !== undefined) log.warn({ model: name }, `model_list: ${problem}`);
  for (const [alias, { model }] of Object.entries(settings.model_group_alias)) {
    if (router.find(model).length === 0)
      log.warn({ model: alias }, `router_settings.model_group_alias: model_list has no '${model}'`);
  }
}

interface Attempt {
  readonly upstream: Upstream;
  readonly exchange: Exchange;
  readonly outgoing: Outgoing;
  readonly context: ForwardContext;
}

interface AttemptParts {
  readonly upstreams: Readonly<Record<Provider, Upstream>>;
  readonly pools: Pick<ReturnType<typeof createPools>, "to">;
  readonly limitsOf: (deployment: Deployment) => RelayLimits;
  readonly drains: ReturnType<typeof createDrains> | undefined;
}

/** One call at one deployment: translate, address, send. */
function createAttempt({ upstreams, pools, limitsOf, drains }: AttemptParts) {
  const send = (
    { upstream, exchange, outgoing, context }: Attempt,
    relayed: typeof relay | typeof gather,
  ): Promise<RelayResult> => {
    const go = ({ origin, path, headers }: Addressed): Promise<RelayResult> => {
      const [dispatcher, limits] = [pools.to(origin), limitsOf(outgoing.deployment)];
      return relayed({ dispatcher, path, headers, exchange, errorOf: upstream.errorOf, limits, drains }, context);
    };
    const addressed = upstream.address(exchange, outgoing);
    return addressed instanceof Promise ? addressed.then(go) : go(addressed);
  };
  return (outgoing: Outgoing, context: ForwardContext): Promise<RelayResult> => {
    const upstream = upstreams[outgoing.deployment.provider];
    const exchange = upstream.exchange(outgoing);
    const whole = { upstream, exchange, outgoing, context };
    if (exchange.before === undefined) return send(whole, relay);
    const before = inTurn(exchange.before, (one) => send({ ...whole, exchange: one }, gather));
    return before.then((failed) => failed ?? send(whole, relay));
  };
}

/** Who still uses this, after its successor has come. */
function createUsers() {
  let users = 0;
  let last: (() => void) | undefined;
  const leave = (): void => {
    users -= 1;
    if (users === 0) last?.();
  };
  return {
    enter(): () => void {
      users += 1;
      return leave;
    },
    async gone(): Promise<void> {
      if (users === 0) return;
      await new Promise<void>((resolve) => {
        last = resolve;
      });
    },
  };
}

/** A refusal before anything was sent is a failed attempt like any other. */
function refused(error: unknown): RelayResult {
  if (error instanceof GatewayError) return { kind: "failed", error };
  throw error;
}

/** Resolves after the time, or when the request is interrupted. */
function waited(ms: number, signal: InterruptionSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
  });
}

/** Drawn in advance; who takes which makes no difference. */
const randomHex = createRandomHex();

/** What stays the same over all attempts of one call. */
function preparation(call: LlmCall, context: ForwardContext): (deployment: Deployment) => Outgoing {
  const { body } = call;
  if (!isObject(body)) throw new GatewayError("internal", "The call carries no body.");
  const translator = translators[call.dialect];
  const meta = { id: randomHex(16), created: Math.floor(Date.now() / 1000) };
  const typed = call as LlmCall<JsonObject>;
  let made: Conversation | undefined;
  let dropped = false;
  const conversation = (drops: boolean): Conversation => {
    if (translator === undefined)
      throw new GatewayError("unsupported", "This model cannot be used on this route.", { param: "model" });
    if (made === undefined || dropped !== drops) made = translator.conversation(body, typed, drops);
    dropped = drops;
    return made;
  };
  return (deployment) => ({
    call: typed,
    deployment,
    caller: context.caller,
    meta,
    translator,
    conversation: () => conversation(deployment.drops),
  });
}

/** The time limits of a deployment, worked out once. */
function createLimitsOf(settings: RouterSettings): (deployment: Deployment) => RelayLimits {
  const known = new WeakMap<Deployment["params"], RelayLimits>();
  return ({ params }) => {
    const kept = known.get(params);
    if (kept !== undefined) return kept;
    const limits = {
      firstByteMs: (params.stream_timeout ?? settings.stream_timeout) * 1000,
      idleMs: settings.idle_timeout * 1000,
      totalMs: (params.timeout ?? settings.timeout) * 1000,
      keepAliveMs: settings.keep_alive * 1000,
    };
    known.set(params, limits);
    return limits;
  };
}
