import {
  count,
  flag,
  list,
  noticeWithinGrace,
  port,
  seconds,
  secret,
  telemetryFields,
  url,
} from "@onbehalf/service-kit";
import { z } from "zod";
import { weakness } from "./master-key.ts";

const logLevel = z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"]);

const variables = {
  HOST: z.string().default("127.0.0.1"),
  GATEWAY_PORT: port().default(4000),
  /** Several gateways of one machine on one port, one for each core: a taken port is then no error. */
  REUSE_PORT: flag().default(false),
  /** Where clients reach the gateway; the identifier in the protected-resource document. */
  PUBLIC_URL: url().optional(),
  LOG_LEVEL: logLevel.default("info"),
  SHUTDOWN_GRACE_SECONDS: seconds({ min: 1, max: 3600 }).default(30),
  /** Of it, how long load balancers have to see that the service goes away while it still takes requests. */
  SHUTDOWN_NOTICE_SECONDS: seconds({ max: 3600 }).default(0),
  ONBEHALF_DATA_DIR: z.string().default(".onbehalf"),
  ...telemetryFields(),

  /** Path of gateway.yaml (a LiteLLM configuration works). */
  GATEWAY_CONFIG: z.string().optional(),
  JWT_PUBLIC_KEY_URL: url({ httpOnLoopbackOnly: true }).optional(),
  JWT_ISSUER: issuerUrl().optional(),
  JWT_AUDIENCE: list({ min: 1 }).optional(),
  JWT_REQUIRED_SCOPE: list({ min: 1 }).optional(),

  LITELLM_MASTER_KEY: strongKey().optional(),
  /** Pepper of the stored key hashes; the same on every replica. */
  LITELLM_SALT_KEY: secret({ min: 16 }).optional(),
  ENCRYPTION_SECRET: secret({ min: 16 }).optional(),

  DATABASE_URL: secretUrl("postgresql://host:5432/database", "postgresql", "postgres").optional(),
  REDIS_URL: secretUrl("redis://host:6379", "redis", "rediss").optional(),
  AWS_ENDPOINT_URL_BEDROCK_RUNTIME: url().optional(),

  MAX_BODY_BYTES: count({ min: 1024, max: 1_073_741_824 }).default(33_554_432),
  /** A body that has not arrived whole by then is refused with 408. */
  BODY_TIMEOUT_SECONDS: seconds({ min: 1, max: 3600 }).default(30),
  /** Origins whose pages may call the gateway from the browser; LiteLLM's name. None: no page may. */
  LITELLM_CORS_ORIGINS: origins().default([]),
  /** The file is looked at this often for changes; SIGHUP works at once. */
  CONFIG_WATCH: flag().default(true),
};

/** The gateway's environment; names as LiteLLM and the other services use them. */
export const environmentSchema = z.object(variables).check(noticeWithinGrace());

/** Kept to the letter, a slash at its end included: it is compared with what tokens say. */
function issuerUrl() {
  const isUrl = (text: string) => ["https:", "http:"].includes(URL.parse(text)?.protocol ?? "");
  return z.string().refine(isUrl, "expected the issuer as its tokens name it, https://…");
}

/** As browsers send them in `Origin`: scheme, host and port. */
function origins() {
  return list().superRefine((words, context) => {
    const isOrigin = (word: string) => URL.parse(word)?.origin === word && !word.includes("*");
    const wrong = words.filter((word) => word !== "*" && !isOrigin(word));
    if (wrong.length === 0) return;
    const message = `expected origins like https://chat.example.com, without a path and comma-separated, or *; not ${wrong.join(", ")}`;
    context.addIssue({ code: "custom", message });
  });
}

/** The key that opens everything: one that can be guessed is refused. */
function strongKey() {
  return secret().superRefine((key, context) => {
    const problem = weakness(key);
    if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
  });
}

/** An address with a password in it: never shown. */
function secretUrl(example: string, ...schemes: readonly string[]) {
  const expected = `expected an address like ${example}`;
  return secret().refine((text) => schemes.includes(URL.parse(text)?.protocol.slice(0, -1) ?? ""), expected);
}

export type Environment = Readonly<z.output<typeof environmentSchema>>;
