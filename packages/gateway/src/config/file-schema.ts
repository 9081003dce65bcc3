import { asymmetricAlgorithms } from "@onbehalf/shared-auth";
import { z } from "zod";
import { priceOverrides } from "../cost/prices.ts";
import { bedrockSettings, billingSettings, modelEntry, routerSettings } from "../deployments.ts";
import { signInSettings } from "../sign-in/settings.ts";

/** gateway.yaml after LiteLLM's other keys were sorted out. What is read here is read; anything else is refused. */

const name = z.string().min(1).max(200);
const names = z.array(name).max(1000);
const positive = z.number().positive();
const whole = z.number().int().positive();

const budgetSchema = z.strictObject({
  usd: positive,
  period: z.enum(["day", "week", "month"]),
  /** Share of the budget from which a warning is logged and sent. */
  warn_at: z.number().gt(0).lte(1).default(0.8),
});

const limitShape = {
  rpm: whole.optional(),
  tpm: whole.optional(),
  max_parallel: whole.optional(),
  budget: budgetSchema.optional(),
};
const limitsSchema = z.strictObject(limitShape);
const limitTable = z.record(name, limitsSchema);

const groupSchema = z.strictObject({
  models: names.default([]),
  routes: names.optional(),
  /** The role that membership gives, for example `admin`. */
  role: name.optional(),
  ...limitShape,
});

const accessSchema = z.strictObject({
  enforce: z.boolean().default(true),
  groups: z.record(name, groupSchema).optional(),
  users: limitTable.default({}),
  teams: limitTable.default({}),
  keys: limitTable.default({}),
  apps: limitTable.default({}),
  models: limitTable.default({}),
  /** Role names of the identity provider → ours or LiteLLM's. */
  roles: z.record(name, name).default({}),
});

const claimNames = {
  user_id: name.optional(),
  user_email: name.optional(),
  user_role: name.optional(),
  team_id: name.optional(),
};

const audience = z.union([name, names.min(1)]);
const algorithm = z.enum(asymmetricAlgorithms);

const issuerSchema = z.strictObject({
  issuer: z.string().trim().min(1),
  audience,
  public_key_url: z.url().optional(),
  discovery_url: z.url().optional(),
  dialect: z.enum(["generic", "plain", "okta", "keycloak", "entra", "auth0"]).optional(),
  algorithms: z.array(algorithm).min(1).optional(),
  required_scopes: names.optional(),
  trusted_clients: names.optional(),
  /** Tokens of applications without a user (client credentials) are accepted, as their project. */
  allow_projects: z.boolean().default(false),
  claims: z.strictObject({ ...claimNames, groups: name.optional() }).default({}),
});

const jwtSettings = z.strictObject({
  issuer: z.string().trim().min(1),
  audience,
  public_key_url: z.url(),
  algorithm: z.union([algorithm, z.array(algorithm).min(1)]).default("RS256"),
  leeway: z.number().min(0).max(300).default(0),
  user_claim_mappings: z.strictObject(claimNames).default({}),
});

const litellmJwtAuth = z.strictObject({
  admin_jwt_scope: name.optional(),
  admin_allowed_routes: names.optional(),
  team_jwt_scope: name.optional(),
  team_id_jwt_field: name.optional(),
  team_id_default: name.optional(),
  team_ids_jwt_field: name.optional(),
  team_allowed_routes: names.optional(),
  user_id_jwt_field: name.optional(),
  user_email_jwt_field: name.optional(),
  user_roles_jwt_field: name.optional(),
  roles_jwt_field: name.optional(),
  user_allowed_roles: names.optional(),
  user_allowed_email_domain: name.optional(),
  public_key_ttl: z.number().positive().max(86_400).optional(),
  jwt_litellm_role_map: z.array(z.strictObject({ jwt_role: name, litellm_role: name })).optional(),
});

const allowedRoutes = z.union([
  names,
  z.array(z.strictObject({ path: name, allowed_groups: names.min(1) })),
  z.array(z.union([name, z.strictObject({ path: name, allowed_groups: names.min(1) })])),
]);

const generalSettings = z.strictObject({
  master_key: z.string().optional(),
  /** False ends the migration: only JWTs are accepted. */
  enable_key_auth: z.boolean().default(true),
  enable_jwt_auth: z.boolean().default(true),
  custom_auth: z.string().optional(),
  jwt_public_key_url: z.url().optional(),
  jwt_issuer: z.string().trim().min(1).optional(),
  jwt_audience: audience.optional(),
  jwt_settings: jwtSettings.optional(),
  litellm_jwtauth: litellmJwtAuth.optional(),
  allowed_routes: allowedRoutes.optional(),
  database_url: z.string().min(1).optional(),
  allow_requests_on_db_unavailable: z.boolean().default(false),
  max_request_size_mb: positive.max(1024).optional(),
  /** LiteLLM's word for how long rows are kept: `30d`. */
  maximum_spend_logs_retention_period: z.string().optional(),
});

const litellmSettings = z.strictObject({
  user_api_key_rate_limit_config: z.strictObject({ rpm: whole.optional(), tpm: whole.optional() }).optional(),
  set_verbose: z.boolean().optional(),
  /** What a model has no words for is left out of its requests; without it, it is refused by name. */
  drop_params: z.boolean().optional(),
});

const limitsWhenRedisIsGone = z.strictObject({
  /** What happens while Redis cannot be asked: refuse, or let each replica grant its share by itself. */
  when_unavailable: z.enum(["closed", "local"]).default("closed"),
  /** The share of every limit that one replica grants by itself. */
  local_share: z.number().gt(0).lte(1).default(0.5),
  timeout_ms: whole.max(10_000).default(250),
});

const recordSettings = z.strictObject({
  retention_days: whole.optional(),
  /** When so much waits for the database, requests are refused rather than left unrecorded. */
  max_spool_mb: positive.default(1024),
});

/** `gateway.yaml`, in LiteLLM's shape as far as LiteLLM has it. */
export const fileSchema = z.strictObject({
  model_list: z.array(modelEntry).default([]),
  general_settings: generalSettings.prefault({}),
  litellm_settings: litellmSettings.prefault({}),
  router_settings: routerSettings.optional(),
  bedrock: bedrockSettings.optional(),
  sign_in: signInSettings.optional(),
  billing: billingSettings.optional(),
  issuers: z.array(issuerSchema).default([]),
  access: accessSchema.prefault({}),
  limits: limitsWhenRedisIsGone.prefault({}),
  record: recordSettings.prefault({}),
  prices: priceOverrides.prefault({}),
});

/** The file, read and with its defaults. */
export type FileSettings = z.output<typeof fileSchema>;
/** `limits`, before its durations and budgets are worked out. */
export type LimitShape = z.output<typeof limitsSchema>;
/** One entry of `issuers`. */
export type IssuerShape = z.output<typeof issuerSchema>;
