import { setTimeout as sleep } from "node:timers/promises";
import { ConfigError, HttpError } from "@onbehalf/service-kit";
import { createRemoteJWKSet } from "jose";
import * as oidc from "openid-client";
import type { ProviderConfig } from "../providers-config.ts";
import { type WithFreshKeys, withFreshKeys } from "./fresh-keys.ts";

/** A provider's metadata, found when it can be found: a provider that is down at start is asked again and again. */
export interface Discovery {
  /** @throws HttpError 503 while the provider has not been reached yet */
  configuration(): Promise<oidc.Configuration>;
  /** The same, with keys fresh enough to verify an ID token. */
  verifying: WithFreshKeys;
  /** Rejects with the reason while the provider has not been reached yet. */
  ready(): void;
  close(): void;
}

/** How long one try may take, and how long the next one waits. */
export interface DiscoveryOptions {
  readonly onEvent?: (event: { readonly name: "found" | "unreachable"; readonly error?: unknown }) => void;
  readonly timeoutSeconds?: number;
  /** Milliseconds between two tries; doubles from the first up to the longest. */
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

  function reached(): oidc.Configuration {
    if (found === undefined) throw unreachable(config);
    return found;
  }

  return {
    configuration: async () => reached(),
    verifying: withFreshKeys({
      create: () => fresh(config, reached(), timeoutSeconds),
      load: () => keysOf(config, reached(), timeoutSeconds),
    }),
    ready() {
      if (found === undefined) throw new Error(`${config.label} at ${config.issuer} cannot be reached; trying again`);
    },
    close: () => stopped.abort(),
  };
}

async function lookUp(config: ProviderConfig, timeoutSeconds: number): Promise<oidc.Configuration> {
  return oidc.discovery(new URL(config.issuer), config.clientId, {}, oidc.ClientSecretBasic(config.clientSecret), {
    timeout: timeoutSeconds,
    execute: isPlainHttp(config) ? [oidc.allowInsecureRequests] : [],
  });
}

/** The same provider with nothing cached. ID tokens are verified by signature, not only by having come over TLS. */
function fresh(config: ProviderConfig, found: oidc.Configuration, timeoutSeconds: number): oidc.Configuration {
  const auth = oidc.ClientSecretBasic(config.clientSecret);
  const server = new oidc.Configuration(found.serverMetadata(), config.clientId, {}, auth);
  server.timeout = timeoutSeconds;
  oidc.enableNonRepudiationChecks(server);
  if (isPlainHttp(config)) oidc.allowInsecureRequests(server);
  return server;
}

async function keysOf(config: ProviderConfig, found: oidc.Configuration, timeoutSeconds: number) {
  const { jwks_uri: uri } = found.serverMetadata();
  if (uri === undefined) throw new Error(`the discovery document of ${config.issuer} names no jwks_uri`);
  const keys = createRemoteJWKSet(new URL(uri), { timeoutDuration: timeoutSeconds * 1000 });
  await keys.reload().catch((cause: unknown) => {
    throw unreachable(config, cause);
  });
  const jwks = keys.jwks();
  if (jwks === undefined) throw unreachable(config);
  return jwks;
}

function isPlainHttp({ issuer }: ProviderConfig): boolean {
  return issuer.startsWith("http:");
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

function unreachable(config: ProviderConfig, cause?: unknown): HttpError {
  const message = `${config.label} cannot be reached at the moment. Try again in a few seconds; nothing is lost.`;
  return new HttpError(503, "provider_unavailable", message, { cause, retryAfterSeconds: 5 });
}
