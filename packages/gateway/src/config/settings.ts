import { ConfigError, type ConfigProblem, databaseUrl } from "@onbehalf/service-kit";
import type { Role } from "../caller.ts";
import { knownRole, type RoleRules } from "../claims.ts";
import type { PriceOverrides } from "../cost/prices.ts";
import { type ModelEntry, unreadParams } from "../deployments.ts";
import type { LimitRule, LimitTables } from "../limits/limits.ts";
import type { AllowedRoute, GroupRule, Policy } from "../policy/policy.ts";
import type { SignInSettings } from "../sign-in/settings.ts";
import type { Environment } from "./environment.ts";
import type { FileSettings, LimitShape } from "./file-schema.ts";
import { readIssuers, type TrustedIssuer } from "./issuers.ts";
import { readMasterKey } from "./master-key.ts";
import { warningsOf } from "./warnings.ts";

/** Everything that a reload may change, parsed and frozen. */
export interface Settings {
  readonly issuers: readonly TrustedIssuer[];
  readonly leewaySeconds: number;
  readonly jwksCacheSeconds: number | undefined;
  readonly keyAuth: boolean;
  readonly masterKey: string | undefined;
  readonly roles: RoleRules;
  /** E-mail addresses of other domains are turned away. */
  readonly emailDomain: string | undefined;
  /** When set, users whose role claim has none of these are turned away. */
  readonly allowedRoles: readonly string[] | undefined;
  readonly policy: Policy;
  readonly limits: LimitTables;
  readonly limiter: {
    readonly whenUnavailable: "closed" | "local";
    readonly localShare: number;
    readonly timeoutMs: number;
  };
  readonly prices: PriceOverrides;
  readonly models: readonly ModelEntry[];
  readonly file: Pick<FileSettings, "router_settings" | "bedrock" | "billing" | "litellm_settings">;
  readonly signIn: SignInSettings | undefined;
  readonly databaseUrl: string | undefined;
  readonly keepKeysWithoutDatabase: boolean;
  readonly maxBodyBytes: number;
  readonly retentionDays: number | undefined;
  readonly maxSpoolBytes: number;
  readonly warnings: readonly string[];
}

/** A gateway that serves has to let somebody in; keys and record are administered on the database alone. */
export type Use = "serve" | "administer";

/**
 * One set of settings from the file and the environment.
 * @throws ConfigError with every problem
 */
export function buildSettings(
  file: FileSettings,
  environment: Environment,
  warnings: readonly string[],
  use: Use,
): Settings {
  const problems: ConfigProblem[] = [];
  const general = file.general_settings;
  const issuers = readIssuers(file, environment, problems);
  const master = readMasterKey(environment.LITELLM_MASTER_KEY, general.master_key);
  problems.push(
    ...master.problems,
    ...checkCustomAuth(general),
    ...checkSignIn(file, issuers),
    ...checkDatabase(general),
  );
  if (use === "serve") {
    problems.push(...checkAnyCredential(file, issuers), ...checkPlainSetup(environment, issuers, master.key));
  }
  const roles = readRoles(file, problems);
  const retention = readRetention(file, problems);
  if (problems.length > 0) throw new ConfigError(problems);
  const auth = general.litellm_jwtauth;
  return Object.freeze({
    issuers,
    leewaySeconds: general.jwt_settings?.leeway ?? defaultLeewaySeconds,
    jwksCacheSeconds: auth?.public_key_ttl,
    keyAuth: general.enable_key_auth,
    masterKey: general.enable_key_auth ? master.key : undefined,
    roles,
    emailDomain: auth?.user_allowed_email_domain,
    allowedRoles: auth?.user_allowed_roles,
    policy: readPolicy(file),
    limits: readLimits(file),
    limiter: {
      whenUnavailable: file.limits.when_unavailable,
      localShare: file.limits.local_share,
      timeoutMs: file.limits.timeout_ms,
    },
    prices: file.prices,
    models: file.model_list,
    file: {
      router_settings: file.router_settings,
      bedrock: file.bedrock,
      billing: file.billing,
      litellm_settings: file.litellm_settings,
    },
    signIn: file.sign_in,
    databaseUrl: environment.DATABASE_URL ?? general.database_url,
    keepKeysWithoutDatabase: general.allow_requests_on_db_unavailable,
    maxBodyBytes:
      general.max_request_size_mb === undefined ? environment.MAX_BODY_BYTES : general.max_request_size_mb * 1_048_576,
    retentionDays: retention,
    maxSpoolBytes: file.record.max_spool_mb * 1_048_576,
    warnings: [
      ...warnings,
      ...master.warnings,
      ...warningsOf(file, environment, issuers),
      ...unreadParams(file.model_list),
    ],
  });
}

/** RFC 7519 speaks of "a few minutes"; one is enough for machines that keep time. `jwt_settings` has its own default, 0. */
const defaultLeewaySeconds = 60;
const defaultAdminScope = "litellm_proxy_admin";

function checkCustomAuth({
  custom_auth: name,
  jwt_settings: settings,
}: FileSettings["general_settings"]): ConfigProblem[] {
  if (name === undefined) return [];
  if (name !== "custom_jwt_auth.jwt_auth") {
    const problem = `names Python code (${name}), which does not run here; only custom_jwt_auth.jwt_auth is known, or use issuers`;
    return [{ name: "general_settings.custom_auth", problem }];
  }
  const problem = "is missing: custom_auth custom_jwt_auth.jwt_auth reads issuer, audience and public_key_url there";
  return settings === undefined ? [{ name: "general_settings.jwt_settings", problem }] : [];
}

function checkDatabase({ database_url: address }: FileSettings["general_settings"]): ConfigProblem[] {
  const { error } = databaseUrl().optional().safeParse(address);
  return (error?.issues ?? []).map(({ message }) => ({ name: "general_settings.database_url", problem: message }));
}

/** A token of somebody else's would open nothing here. */
function checkSignIn({ sign_in: signIn }: FileSettings, issuers: readonly TrustedIssuer[]): ConfigProblem[] {
  if (signIn === undefined || issuers.some(({ options }) => options.issuer === signIn.issuer)) return [];
  const known = issuers.map(({ options }) => options.issuer).join(", ");
  return [{ name: "sign_in.issuer", problem: `${signIn.issuer} is none of the issuers: ${known || "there are none"}` }];
}

/** A plain set-up that names nobody to let in is a set-up somebody forgot to finish. */
function checkPlainSetup(
  environment: Environment,
  issuers: readonly TrustedIssuer[],
  masterKey: string | undefined,
): ConfigProblem[] {
  if (environment.GATEWAY_CONFIG !== undefined || environment.JWT_PUBLIC_KEY_URL !== undefined) return [];
  if (issuers.length > 0 || masterKey !== undefined) return [];
  const problem = "is not set, and neither is GATEWAY_CONFIG or LITELLM_MASTER_KEY: nobody could call this gateway";
  return [{ name: "JWT_PUBLIC_KEY_URL", problem }];
}

function checkAnyCredential(file: FileSettings, issuers: readonly TrustedIssuer[]): ConfigProblem[] {
  const { enable_key_auth: keys, enable_jwt_auth: tokens } = file.general_settings;
  if (!keys && (!tokens || issuers.length === 0)) {
    const problem = "is false, and no issuer is configured: nobody could call this gateway";
    return [{ name: "general_settings.enable_key_auth", problem }];
  }
  return [];
}

function readRoles(file: FileSettings, problems: ConfigProblem[]): RoleRules {
  const auth = file.general_settings.litellm_jwtauth;
  const mapped = (auth?.jwt_litellm_role_map ?? []).map((entry) => [entry.jwt_role, entry.litellm_role] as const);
  const names = { ...Object.fromEntries(mapped), ...file.access.roles };
  for (const [name, role] of Object.entries(names)) checkRole(role, `access.roles.${name}`, problems);
  const groups: Record<string, Role> = {};
  for (const [group, { role }] of Object.entries(file.access.groups ?? {})) {
    if (role === undefined) continue;
    const known = checkRole(role, `access.groups.${group}.role`, problems);
    if (known !== undefined) groups[group] = known;
  }
  return { adminScope: auth?.admin_jwt_scope ?? defaultAdminScope, teamScope: auth?.team_jwt_scope, names, groups };
}

function checkRole(role: string, name: string, problems: ConfigProblem[]): Role | undefined {
  const known = knownRole(role);
  if (known === undefined) {
    problems.push({
      name,
      problem: `expected admin, user, viewer, team or customer (or LiteLLM's names), got ${role}`,
    });
  }
  return known;
}

function readPolicy(file: FileSettings): Policy {
  const { access, general_settings: general } = file;
  const groups =
    access.groups === undefined
      ? undefined
      : mapValues(access.groups, ({ models, routes }): GroupRule => ({ models, routes }));
  return {
    enforce: access.enforce,
    allowedRoutes: general.allowed_routes?.map(
      (entry): AllowedRoute =>
        typeof entry === "string"
          ? { pattern: entry, groups: undefined }
          : { pattern: entry.path, groups: entry.allowed_groups },
    ),
    groups,
    adminRoutes: general.litellm_jwtauth?.admin_allowed_routes,
    teamRoutes: general.litellm_jwtauth?.team_allowed_routes,
  };
}

function readLimits({ access, litellm_settings: litellm }: FileSettings): LimitTables {
  const perUser = litellm.user_api_key_rate_limit_config;
  const everyone = perUser === undefined ? {} : { "*": { ...perUser, ...access.users["*"] } };
  return {
    user: mapValues({ ...access.users, ...everyone }, limitRule),
    group: mapValues(access.groups ?? {}, limitRule),
    team: mapValues(access.teams, limitRule),
    key: mapValues(access.keys, limitRule),
    app: mapValues(access.apps, limitRule),
    model: mapValues(access.models, limitRule),
  };
}

function limitRule({ rpm, tpm, max_parallel: maxParallel, budget }: LimitShape): LimitRule {
  return {
    rpm,
    tpm,
    maxParallel,
    budget: budget === undefined ? undefined : { usd: budget.usd, period: budget.period, warnAt: budget.warn_at },
  };
}

/** `record.retention_days`, or LiteLLM's `30d`. */
function readRetention(
  { record, general_settings: general }: FileSettings,
  problems: ConfigProblem[],
): number | undefined {
  const period = general.maximum_spend_logs_retention_period;
  if (record.retention_days !== undefined || period === undefined) return record.retention_days;
  const days = /^(\d{1,5})d$/.exec(period)?.[1];
  if (days !== undefined && Number(days) > 0) return Number(days);
  problems.push({
    name: "general_settings.maximum_spend_logs_retention_period",
    problem: `expected days like 30d, got ${period}`,
  });
  return undefined;
}

function mapValues<In, Out>(
  record: Readonly<Record<string, In>>,
  map: (value: In) => Out,
): Readonly<Record<string, Out>> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]));
}
