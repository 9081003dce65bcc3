import {
  count,
  type Env,
  flag,
  issuer,
  list,
  loadEnv,
  noticeWithinGrace,
  port,
  redisUrl,
  seconds,
  secret,
  telemetryFields,
  url,
} from "@onbehalf/service-kit";
import { type AsymmetricAlgorithm, asymmetricAlgorithms, type IssuerOptions } from "@onbehalf/shared-auth";
import type { ExchangeOptions } from "@onbehalf/shared-auth/exchange";
import { z } from "zod";
import { exchangeOptions, exchangeProviders, exchangeShape, isExchangeProvider } from "./exchange-config.ts";

/** How Voicebox knows its callers, and with what it goes to the gateway. */
export type Access =
  | {
      readonly kind: "jwt";
      readonly issuer: IssuerOptions;
      readonly requiredScopes: readonly string[];
      readonly leewaySeconds: number;
      readonly jwksCacheTtlSeconds: number;
      readonly exchange: ExchangeOptions;
      readonly tokenCacheTtlSeconds: number;
      readonly tokenCacheBufferSeconds: number;
    }
  /** For a private network: nobody is verified, one key for all. */
  | { readonly kind: "open"; readonly llmKey: string };

/** The service's configuration, from the environment alone. */
export interface Config {
  readonly host: string;
  readonly port: number;
  readonly publicUrl: string;
  readonly logLevel: string;
  readonly graceSeconds: number;
  readonly noticeSeconds: number;
  /** For several replicas; undefined for one alone. */
  readonly redis: { readonly url: string; readonly encryptionSecret: string } | undefined;
  readonly vbxConfigPath: string;
  readonly adminGroups: ReadonlySet<string>;
  readonly conversationTtlSeconds: number;
  readonly telemetry: {
    readonly metricsPort: number | undefined;
    readonly tracesEndpoint: string | undefined;
    readonly tracesHeaders: string | undefined;
  };
  readonly access: Access;
}

const common = {
  HOST: z.string().default("127.0.0.1"),
  VOICEBOX_PORT: port().default(8000),
  VOICEBOX_PUBLIC_URL: url().optional(),
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"]).default("info"),
  SHUTDOWN_GRACE_SECONDS: seconds({ min: 1, max: 3600 }).default(30),
  SHUTDOWN_NOTICE_SECONDS: seconds({ max: 3600 }).default(0),
  REDIS_URL: redisUrl().optional(),
  ENCRYPTION_SECRET: secret({ min: 32 }).optional(),
  VBX_CONFIG: z.string(),
  VOICEBOX_ADMIN_GROUPS: list().default([]),
  CONVERSATION_TTL_SECONDS: seconds({ min: 60 }).default(86_400),
  REQUIRE_JWT_AUTH: flag().default(true),
  ...telemetryFields(),
};

const jwt = {
  JWT_ISSUER: issuer(),
  JWT_JWKS_URI: url({ httpOnLoopbackOnly: true }).optional(),
  JWT_AUDIENCE: list({ min: 1 }),
  JWT_REQUIRED_SCOPE: list({ min: 1 }),
  JWT_SCOPE_CLAIM_NAME: z.string().optional(),
  JWT_ALLOWED_ALGORITHMS: algorithms().default(["RS256"]),
  JWT_LEEWAY_SECONDS: count({ max: 600 }).default(60),
  JWKS_CACHE_TTL: seconds({ min: 10 }).default(3600),
  JWT_TRUSTED_CLIENTS: list({ min: 1 }).optional(),
  TOKEN_EXCHANGE_PROVIDER: z.enum(exchangeProviders, `expected one of ${exchangeProviders.join(", ")}`),
  TOKEN_CACHE_TTL_SECONDS: seconds({ min: 1 }).default(3600),
  TOKEN_CACHE_EXPIRY_BUFFER_SECONDS: seconds().default(300),
};

/** Without an address of its own, the keys' is read in a document of the issuer's. */
function jwtFor(env: Env): typeof jwt {
  return env.JWT_JWKS_URI ? jwt : { ...jwt, JWT_ISSUER: issuer({ httpOnLoopbackOnly: true }) };
}

const open = {
  LLM_API_KEY: secret(),
  TOKEN_EXCHANGE_PROVIDER: z
    .undefined("needs REQUIRE_JWT_AUTH=true: without a user's token there is nothing to exchange")
    .optional(),
};

/** What is stored outside the process is encrypted, so that Redis needs the secret. */
function commonFor(env: Env): typeof common {
  if (!env.REDIS_URL && !env.REDIS_URL_FILE) return common;
  const required = secret({ min: 32 });
  return { ...common, ENCRYPTION_SECRET: required as unknown as typeof common.ENCRYPTION_SECRET };
}

/** @throws ConfigError with every problem */
export function loadConfig(env: Env): Config {
  const provider = env.TOKEN_EXCHANGE_PROVIDER;
  if (env.REQUIRE_JWT_AUTH === "false") {
    const values = loadEnv(z.object({ ...commonFor(env), ...open }).check(noticeWithinGrace()), env);
    return { ...shared(values), access: { kind: "open", llmKey: values.LLM_API_KEY } };
  }
  const exchange = isExchangeProvider(provider) ? exchangeShape(provider, env) : {};
  const values = loadEnv(
    z.object({ ...commonFor(env), ...jwtFor(env), ...exchange }).check(noticeWithinGrace()),
    env,
  ) as z.output<z.ZodObject<typeof common & typeof jwt>>;
  return { ...shared(values), access: jwtAccess(values) };
}

function shared(values: z.output<z.ZodObject<typeof common>>): Omit<Config, "access"> {
  return {
    host: values.HOST,
    port: values.VOICEBOX_PORT,
    publicUrl: values.VOICEBOX_PUBLIC_URL ?? `http://localhost:${values.VOICEBOX_PORT}`,
    logLevel: values.LOG_LEVEL,
    graceSeconds: values.SHUTDOWN_GRACE_SECONDS,
    noticeSeconds: values.SHUTDOWN_NOTICE_SECONDS,
    redis: redisOf(values),
    vbxConfigPath: values.VBX_CONFIG,
    adminGroups: new Set(values.VOICEBOX_ADMIN_GROUPS),
    conversationTtlSeconds: values.CONVERSATION_TTL_SECONDS,
    telemetry: {
      metricsPort: values.METRICS_PORT,
      tracesEndpoint: values.OTEL_EXPORTER_OTLP_ENDPOINT,
      tracesHeaders: values.OTEL_EXPORTER_OTLP_HEADERS,
    },
  };
}

function redisOf({ REDIS_URL: redisUrl, ENCRYPTION_SECRET: encryptionSecret }: z.output<z.ZodObject<typeof common>>) {
  return redisUrl === undefined || encryptionSecret === undefined ? undefined : { url: redisUrl, encryptionSecret };
}

function jwtAccess(values: z.output<z.ZodObject<typeof jwt>>): Access {
  const provider = values.TOKEN_EXCHANGE_PROVIDER;
  // Tokens are shaped by who issues them; the seed's default of `scp` is Okta's name for the scopes.
  const dialect = provider === "zitadel" || provider === "rfc8693" || provider === "id_jag" ? "generic" : provider;
  const scopeClaim = values.JWT_SCOPE_CLAIM_NAME ?? (provider === "okta" ? "scp" : undefined);
  return {
    kind: "jwt",
    issuer: {
      issuer: values.JWT_ISSUER,
      audience: values.JWT_AUDIENCE,
      jwksUri: values.JWT_JWKS_URI,
      algorithms: values.JWT_ALLOWED_ALGORITHMS,
      dialect,
      requiredScopes: values.JWT_REQUIRED_SCOPE,
      trustedClients: values.JWT_TRUSTED_CLIENTS,
      ...(scopeClaim === undefined ? {} : { claims: { scope: scopeClaim } }),
    },
    requiredScopes: values.JWT_REQUIRED_SCOPE,
    leewaySeconds: values.JWT_LEEWAY_SECONDS,
    jwksCacheTtlSeconds: values.JWKS_CACHE_TTL,
    exchange: exchangeOptions(provider, values),
    tokenCacheTtlSeconds: values.TOKEN_CACHE_TTL_SECONDS,
    tokenCacheBufferSeconds: values.TOKEN_CACHE_EXPIRY_BUFFER_SECONDS,
  };
}

function algorithms() {
  return list({ min: 1 }).transform((names, context): readonly AsymmetricAlgorithm[] => {
    const known = names.filter((name): name is AsymmetricAlgorithm =>
      asymmetricAlgorithms.some((each) => each === name),
    );
    if (known.length === names.length) return known;
    const message = `expected some of ${asymmetricAlgorithms.join(", ")}: only signatures by a private key, never a shared secret`;
    context.issues.push({ code: "custom", message, input: names });
    return z.NEVER;
  });
}
