import {
  ConfigError,
  createLogger,
  createTrail,
  type Env,
  type KeyValueStore,
  type Logger,
  memoryStore,
  readiness,
  type Service,
  type ServiceIo,
  serve,
} from "@onbehalf/service-kit";
import { type CachedExchange, cached, createVerifier, type OnEvent, type Verifier } from "@onbehalf/shared-auth";
import { createExchange } from "@onbehalf/shared-auth/exchange";
import { createApp } from "./app.ts";
import { type Access, type Config, loadConfig } from "./config.ts";
import { createConversations } from "./conversation.ts";
import { createSetups, openSetup } from "./setup.ts";

/** A running Voicebox; `reload` reads `vbx-config.json` again without losing a request. */
export interface VoiceboxService extends Service {
  reload(): Promise<void>;
}

const maxConversations = 10_000;

/** @throws ConfigError with every problem of the environment, or of the file that `VBX_CONFIG` names */
export async function start(env: Env, io: ServiceIo = {}): Promise<VoiceboxService> {
  const config = loadConfig(env);
  const log = io.log ?? createLogger({ service: "voicebox", level: config.logLevel, ...destinationOf(io) });
  const access = openAccess(config.access, log);
  const setups = await createSetups(() => openSetup(config.vbxConfigPath, env));
  const store: KeyValueStore = memoryStore({ maxEntries: maxConversations });
  const ready = readiness({
    ...(access.verifier === undefined ? {} : { keys: access.verifier.ready }),
    store: () => store.ready(),
  });
  if (config.access.kind === "open") warnOpen(config, log);

  const app = createApp({
    config,
    log,
    ready,
    setups,
    trail: createTrail(),
    conversations: createConversations(store, config.conversationTtlSeconds),
    ...access,
  });
  const onClose = [() => setups.close(), () => store.close()];
  const service = await serve({
    name: "voicebox",
    app,
    host: config.host,
    port: config.port,
    portVariable: "VOICEBOX_PORT",
    log,
    graceSeconds: config.graceSeconds,
    readiness: ready,
    onClose,
  }).catch(async (error: unknown) => {
    for (const close of onClose) await close();
    throw error;
  });
  return { ...service, reload: () => reload(setups.reload, log) };
}

interface OpenAccess {
  readonly verifier: Verifier | undefined;
  readonly exchange: CachedExchange | undefined;
}

/** Programmer's mistakes to the library are the operator's to mend here: they come from the environment. */
function openAccess(access: Access, log: Logger): OpenAccess {
  if (access.kind === "open") return { verifier: undefined, exchange: undefined };
  const onEvent: OnEvent = (event) => log.info({ event }, "auth");
  try {
    const { issuer, leewaySeconds, jwksCacheTtlSeconds } = access;
    const verifier = createVerifier({ issuers: [issuer], leewaySeconds, jwksCacheTtlSeconds, onEvent });
    const exchange = cached(createExchange({ ...access.exchange, onEvent }), {
      ttlSeconds: access.tokenCacheTtlSeconds,
      expiryBufferSeconds: access.tokenCacheBufferSeconds,
    });
    return { verifier, exchange };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new ConfigError([{ name: "JWT_* and TOKEN_EXCHANGE_PROVIDER", problem: error.message }], { cause: error });
  }
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
