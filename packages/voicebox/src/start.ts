import {
  ConfigError,
  type ConfigProblem,
  createLogger,
  createTelemetry,
  createTrail,
  type Env,
  hideAlso,
  type Logger,
  type Readiness,
  readiness,
  type ServeOptions,
  type Service,
  type ServiceIo,
  serve,
} from "@onbehalf/service-kit";
import { AuthError, createVerifier, type OnEvent, type Verifier } from "@onbehalf/shared-auth";
import { createApp } from "./app.ts";
import { type Access, type Config, loadConfig } from "./config.ts";
import { createConversations } from "./conversation.ts";
import { createExchanges, type Exchanges } from "./exchanges.ts";
import { createSetups, openSetup } from "./setup.ts";
import { openStores, type Stores } from "./stores.ts";

/** A running Voicebox; `reload` reads `vbx-config.json` again without losing a request. */
export interface VoiceboxService extends Service {
  reload(): Promise<void>;
}

/** @throws ConfigError with every problem of the environment and of the file that `VBX_CONFIG` names */
export async function start(env: Env, io: ServiceIo = {}): Promise<VoiceboxService> {
  const config = await readConfig(env);
  const log =
    io.log ??
    createLogger({ service: "voicebox", level: config.logLevel, secrets: secretsOf(config), ...destinationOf(io) });
  const stores = await openStores(config);
  const closing = [() => stores.close()];
  try {
    const telemetry = await createTelemetry({ service: "voicebox", log, host: config.host, ...config.telemetry });
    closing.push(() => telemetry.close());
    const access = openAccess(config.access, stores, log);
    await checkIssuer(access);
    const setups = await createSetups(() => openSetup(config.vbxConfigPath, env, (secrets) => hideAlso(log, secrets)));
    closing.unshift(() => setups.close());
    const ready = readiness({
      store: () => stores.ready(),
      ...(access.verifier === undefined ? {} : { keys: access.verifier.ready }),
    });
    if (config.access.kind === "open") warnOpen(config, log);
    const conversations = createConversations({
      store: stores.conversations,
      ttlSeconds: config.conversationTtlSeconds,
      onFailure: (error) => log.warn({ err: error }, "a conversation's memory could not be reached"),
    });
    const app = createApp({ config, log, ready, setups, conversations, telemetry, trail: createTrail(), ...access });
    const service = await listen(config, app, log, ready, closing);
    return { ...service, reload: () => reload(setups.reload, log) };
  } catch (error) {
    for (const close of closing) await close();
    throw error;
  }
}

/** With what is wrong in the environment, what is wrong in the file is told, too. */
async function readConfig(env: Env): Promise<Config> {
  try {
    return loadConfig(env);
  } catch (error) {
    if (!(error instanceof ConfigError) || !env.VBX_CONFIG) throw error;
    throw new ConfigError([...error.problems, ...(await problemsOfSetup(env.VBX_CONFIG, env))]);
  }
}

async function problemsOfSetup(path: string, env: Env): Promise<readonly ConfigProblem[]> {
  try {
    await (await openSetup(path, env, () => {})).close();
    return [];
  } catch (error) {
    // Anything else shows when the environment is right.
    return error instanceof ConfigError ? error.problems : [];
  }
}

function listen(
  config: Config,
  app: ServeOptions["app"],
  log: Logger,
  ready: Readiness,
  onClose: readonly (() => Promise<void>)[],
): Promise<Service> {
  return serve({
    name: "voicebox",
    app,
    host: config.host,
    port: config.port,
    portVariable: "VOICEBOX_PORT",
    log,
    graceSeconds: config.graceSeconds,
    noticeSeconds: config.noticeSeconds,
    readiness: ready,
    onClose,
  });
}

interface OpenAccess {
  readonly verifier: Verifier | undefined;
  readonly exchanges: Exchanges | undefined;
}

/** Programmer's mistakes to the library are the operator's to mend here: they come from the environment. */
function openAccess(access: Access, stores: Stores, log: Logger): OpenAccess {
  if (access.kind === "open") return { verifier: undefined, exchanges: undefined };
  const onEvent: OnEvent = (event) => log.info({ event }, "auth");
  try {
    const { issuer, leewaySeconds, jwksCacheTtlSeconds } = access;
    const verifier = createVerifier({ issuers: [issuer], leewaySeconds, jwksCacheTtlSeconds, onEvent });
    return { verifier, exchanges: createExchanges(access, stores.tokens, onEvent) };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new ConfigError([{ name: "JWT_* and TOKEN_EXCHANGE_PROVIDER", problem: error.message }], { cause: error });
  }
}

/** A provider that is away may come back; a document that names another issuer is ours to correct, before anybody asks. */
async function checkIssuer({ verifier }: OpenAccess): Promise<void> {
  try {
    await verifier?.ready();
  } catch (error) {
    if (!(error instanceof AuthError) || error.code !== "issuer_misconfigured") return;
    throw new ConfigError([{ name: "JWT_ISSUER", problem: error.message }], { cause: error });
  }
}

/** Secrets without a form that the log would know by itself. */
function secretsOf({ access, redis }: Config): readonly string[] {
  const stored = redis === undefined ? [] : [redis.encryptionSecret];
  if (access.kind === "open") return [access.llmKey, ...stored];
  const clients = [access.exchange, access.exchange.target].flatMap((client) => client ?? []);
  return [...stored, ...clients.flatMap(({ clientAuth }) => ("secret" in clientAuth ? clientAuth.secret : []))];
}

function destinationOf({ destination }: ServiceIo): { destination?: NonNullable<ServiceIo["destination"]> } {
  return destination === undefined ? {} : { destination };
}

function warnOpen({ host }: Config, log: Logger): void {
  log.warn(
    { host, REQUIRE_JWT_AUTH: false },
    "REQUIRE_JWT_AUTH is false: NOBODY IS VERIFIED and every question goes to the language model with one shared key. " +
      "Only for a private network that keeps strangers out.",
  );
}

async function reload(again: () => Promise<void>, log: Logger): Promise<void> {
  try {
    await again();
    log.info({}, "vbx-config.json was read again");
  } catch (error) {
    log.error({ err: error }, "vbx-config.json is wrong now; what was read before stays in use");
  }
}
