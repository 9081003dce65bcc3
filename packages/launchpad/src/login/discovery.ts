import { setTimeout as sleep } from "node:timers/promises";
import { ConfigError, HttpError } from "@onbehalf/service-kit";
import * as oidc from "openid-client";
import type { ProviderConfig } from "../providers-config.ts";

/** A provider's metadata, found when it can be found: a provider that is down at start is asked again and again. */
export interface Discovery {
  /** @throws HttpError 503 while the provider has not been reached yet */
  configuration(): Promise<oidc.Configuration>;
  /** Rejects with the reason while the provider has not been reached yet. */
  ready(): void;
  close(): void;
}

export interface DiscoveryOptions {
  readonly onEvent?: (event: { readonly name: "found" | "unreachable"; readonly error?: unknown }) => void;
  readonly timeoutSeconds?: number;
  /** Between two tries; doubles up to the second. */
  readonly backOffMs?: readonly [first: number, longest: number];
}

/**
 * Looks the provider up once and, when it cannot be reached, goes on trying in the background.
 * @throws ConfigError when the provider answers but names another issuer: no waiting mends that
 */
export async function discover(config: ProviderConfig, options: DiscoveryOptions = {}): Promise<Discovery> {
  const { onEvent = () => {}, timeoutSeconds = 5, backOffMs = [500, 15_000] } = options;
  const stopped = new AbortController();
  let found: oidc.Configuration | undefined;
  let running: Promise<void> | undefined;

  async function attempt(): Promise<void> {
    try {
      found = await lookUp(config, timeoutSeconds);
      onEvent({ name: "found" });
    } catch (error) {
      onEvent({ name: "unreachable", error });
      if (isMismatch(error)) throw mismatch(config);
    }
  }
  /** One look-up at a time, whoever asks for it. */
  const tryOnce = (): Promise<void> => {
    running ??= attempt().finally(() => {
      running = undefined;
    });
    return running;
  };

  async function keepTrying(): Promise<void> {
    let wait: number = backOffMs[0];
    while (found === undefined && !stopped.signal.aborted) {
      await sleep(wait, undefined, { signal: stopped.signal, ref: false }).catch(() => {});
      if (stopped.signal.aborted) return;
      // A wrong issuer that shows up later is told by readiness; the process goes on.
      await tryOnce().catch(() => {});
      wait = Math.min(wait * 2, backOffMs[1]);
    }
  }

  await tryOnce();
  if (found === undefined) void keepTrying();

  return {
    async configuration() {
      if (found === undefined) throw unreachable(config);
      return found;
    },
    ready() {
      if (found === undefined) throw new Error(`${config.label} at ${config.issuer} cannot be reached; trying again`);
    },
    close: () => stopped.abort(),
  };
}

async function lookUp(config: ProviderConfig, timeoutSeconds: number): Promise<oidc.Configuration> {
  const plainHttp = config.issuer.startsWith("http:");
  const found = await oidc.discovery(
    new URL(config.issuer),
    config.clientId,
    {},
    oidc.ClientSecretBasic(config.clientSecret),
    { timeout: timeoutSeconds, execute: plainHttp ? [oidc.allowInsecureRequests] : [] },
  );
  // ID tokens are verified by signature too, not only by having come over TLS.
  oidc.enableNonRepudiationChecks(found);
  return found;
}

function isMismatch(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED";
}

function mismatch(config: ProviderConfig): ConfigError {
  return new ConfigError([
    {
      name: `${config.id.toUpperCase()}_*`,
      problem: `point at ${config.issuer}, whose discovery document names another issuer: correct the domain or the server id`,
    },
  ]);
}

function unreachable(config: ProviderConfig): HttpError {
  const message = `${config.label} cannot be reached at the moment. Try again in a few seconds; nothing is lost.`;
  return new HttpError(503, "provider_unavailable", message, { retryAfterSeconds: 5 });
}
