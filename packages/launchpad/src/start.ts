import {
  createLogger,
  createTelemetry,
  type Env,
  readiness,
  type Service,
  type ServiceIo,
  serve,
} from "@onbehalf/service-kit";
import { createApp } from "./app.ts";
import { type LaunchpadConfig, readConfig } from "./config.ts";
import { openResources, type Resources } from "./resources.ts";
import { createStages } from "./stages.ts";

/**
 * Starts Launchpad from its environment alone.
 * @throws ConfigError with every problem of the environment and of the applications file
 */
export async function start(env: Env, io: ServiceIo = {}): Promise<Service> {
  const config = readConfig(env);
  const log =
    io.log ?? createLogger({ service: "launchpad", level: config.logLevel, secrets: secretsOf(config), ...io });
  const telemetry = await createTelemetry({ service: "launchpad", log, host: config.host, ...config.telemetry });
  const resources = await openResources(config, log);
  const ready = readiness(checksOf(resources));
  const stages = createStages({ config, resources, readiness: ready, log });
  try {
    return await serve({
      name: "launchpad",
      app: createApp({ ...stages, requests: telemetry.requests }),
      host: config.host,
      port: config.port,
      portVariable: "LAUNCHPAD_PORT",
      log,
      graceSeconds: config.graceSeconds,
      noticeSeconds: config.noticeSeconds,
      readiness: ready,
      onClose: [() => resources.close(), () => telemetry.close()],
    });
  } catch (error) {
    await resources.close();
    await telemetry.close();
    throw error;
  }
}

/** What must be there for requests to be answered; Voicebox is asked at each request and says for itself. */
function checksOf({ providers, stores, verifier }: Resources): Parameters<typeof readiness>[0] {
  return {
    ...Object.fromEntries(providers.map((provider) => [provider.config.id, () => provider.ready()])),
    ...stores.checks,
    ...(verifier === undefined ? {} : { api_keys: () => verifier.ready() }),
  };
}

function secretsOf({ session, encryptionSecret, providers }: LaunchpadConfig): readonly string[] {
  const ofProviders = providers.flatMap(({ clientSecret, exchange }) => [
    clientSecret,
    ...(exchange.auth.method === "client_secret_basic" ? [exchange.auth.secret] : []),
  ]);
  return [session.secret, encryptionSecret, ...ofProviders];
}
