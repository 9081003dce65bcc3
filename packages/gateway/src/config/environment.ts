import {
  count,
  databaseUrl,
  dataFolder,
  flag,
  issuer,
  list,
  noticeWithinGrace,
  origins,
  port,
  redisUrl,
  seconds,
  secret,
  telemetryFields,
  url,
} from "@onbehalf/service-kit";
import { z } from "zod";
import { awsRegion } from "../deployments.ts";
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
  ONBEHALF_DATA_DIR: dataFolder().prefault(".onbehalf"),
  ...telemetryFields(),

  /** Path of gateway.yaml (a LiteLLM configuration works). */
  GATEWAY_CONFIG: z.string().optional(),
  JWT_PUBLIC_KEY_URL: url({ httpOnLoopbackOnly: true }).optional(),
  JWT_ISSUER: issuer().optional(),
  JWT_AUDIENCE: list({ min: 1 }).optional(),
  JWT_REQUIRED_SCOPE: list({ min: 1 }).optional(),

  LITELLM_MASTER_KEY: strongKey().optional(),
  /** Pepper of the stored key hashes; the same on every replica. */
  LITELLM_SALT_KEY: secret({ min: 16 }).optional(),
  ENCRYPTION_SECRET: secret({ min: 16 }).optional(),

  DATABASE_URL: databaseUrl().optional(),
  REDIS_URL: redisUrl().optional(),
  AWS_ENDPOINT_URL_BEDROCK_RUNTIME: url().optional(),
  AWS_ENDPOINT_URL: url().optional(),
  AWS_REGION: awsRegion.optional(),
  AWS_DEFAULT_REGION: awsRegion.optional(),

  MAX_BODY_BYTES: count({ min: 1024, max: 1_073_741_824 }).default(33_554_432),
  /** A body that has not arrived whole by then is refused with 408. */
  BODY_TIMEOUT_SECONDS: seconds({ min: 1, max: 3600 }).default(30),
  /** Origins whose pages may call the gateway from the browser; LiteLLM's name. None: no page may. */
  LITELLM_CORS_ORIGINS: origins({ all: true }).default([]),
  /** The file is looked at this often for changes; SIGHUP works at once. */
  CONFIG_WATCH: flag().default(true),
};

/** The gateway's environment; names as LiteLLM and the other services use them. */
export const environmentSchema = z.object(variables).check(noticeWithinGrace());

/** The key that opens everything: one that can be guessed is refused. */
function strongKey() {
  return secret().superRefine((key, context) => {
    const problem = weakness(key);
    if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
  });
}

/** Every variable of the gateway, checked and frozen. */
export type Environment = Readonly<z.output<typeof environmentSchema>>;
