import type { ConfigProblem } from "@onbehalf/service-kit";

/**
 * LiteLLM's keys that this gateway does not read. A key that only asks for a feature we lack is ignored with a warning;
 * a key that restricts something is refused, because a restriction that silently falls away is worse than no start.
 */
interface Unread {
  readonly ignored: Readonly<Record<string, string>>;
  readonly refused: Readonly<Record<string, string>>;
}

const callbacks = "every request is recorded in request_logs anyway";
const storedByUs = "not needed: rows are spooled and written in batches";
const noCache = "answers are not cached";

const sections: Readonly<Record<string, Unread>> = {
  "": {
    ignored: {
      environment_variables: "set variables in the process environment",
      callback_settings: callbacks,
    },
    refused: {
      include: "put everything into one file",
      guardrails: "guardrails are not applied here; use Bedrock guardrails on the model",
      mcp_servers: "this gateway serves models only",
    },
  },
  general_settings: {
    ignored: {
      alerting: "use the metrics and the log",
      alerting_threshold: "use the metrics and the log",
      background_health_checks: "deployments are judged by the answers they give",
      completion_model: "clients name their model",
      database_connection_pool_limit: storedByUs,
      database_connection_timeout: storedByUs,
      disable_spend_logs: "every request is recorded",
      health_check_interval: "deployments are judged by the answers they give",
      infer_model_from_keys: "models come from model_list",
      key_management_system: "secrets come from the environment or NAME_FILE",
      proxy_batch_write_at: storedByUs,
      proxy_budget_rescheduler_max_time: "budgets renew by the calendar, UTC",
      proxy_budget_rescheduler_min_time: "budgets renew by the calendar, UTC",
      store_model_in_db: "models come from model_list",
      store_prompts_in_spend_logs: "prompts are never recorded",
      ui_access_mode: "there is no web interface",
      use_redis_transaction_buffer: storedByUs,
    },
    refused: {
      allowed_ips: "restrict addresses in front of the gateway",
      block_robots: "this gateway has no pages",
      custom_key_generate:
        "custom Python code does not run here; restrict who may call /key/generate with allowed_routes",
      custom_sso: "sign-in happens at the identity provider",
      enforced_params: "required parameters are not checked here",
      global_max_parallel_requests: "set access.models.<name>.max_parallel or a group's max_parallel",
      key_management_settings: "secrets come from the environment or NAME_FILE",
      max_parallel_requests: "set max_parallel under access.users, access.groups or on the key",
      max_response_size_mb: "answers are streamed; set access limits instead",
      public_routes: "no route beyond health and metadata is public",
      admin_only_routes: "use allowed_routes: what is not listed is for administrators",
      pass_through_endpoints: "only the routes of this gateway exist",
      custom_auth_run_common_checks: "all checks always run",
      user_header_name: "headers are recorded, never trusted",
    },
  },
  litellm_settings: {
    ignored: {
      allowed_fails: "see router_settings",
      cache: noCache,
      cache_params: noCache,
      callbacks: callbacks,
      content_policy_fallbacks: "use router_settings.fallbacks",
      context_window_fallbacks: "use router_settings.fallbacks",
      default_fallbacks: "use router_settings.fallbacks",
      failure_callback: callbacks,
      force_ipv4: "the system decides",
      json_logs: "logs are always JSON",
      langfuse_default_tags: callbacks,
      modify_params: "requests are not changed",
      num_retries: "use router_settings.num_retries",
      redact_user_api_key_info: "keys are never logged",
      request_timeout: "use router_settings.timeout",
      service_callbacks: callbacks,
      success_callback: callbacks,
      telemetry: "nothing is sent home",
      turn_off_message_logging: "messages are never logged",
    },
    refused: {
      default_internal_user_params: 'set access.users."*" instead',
      default_team_settings: "set access.teams instead",
      max_budget: "set a budget under access, per user, group, team, key, app or model",
      budget_duration: "set a budget under access, per user, group, team, key, app or model",
      max_internal_user_budget: 'set access.users."*".budget',
      internal_user_budget_duration: 'set access.users."*".budget',
      upperbound_key_generate_params: "a key is never given more than its maker has; set limits under access",
    },
  },
  "general_settings.litellm_jwtauth": {
    ignored: {
      end_user_id_jwt_field: "the end user is the token's subject",
      org_id_jwt_field: "there are no organisations above teams",
      user_id_upsert: "users need no account here",
      team_id_upsert: "teams need no account here",
      sync_user_role_and_teams: "role and team are read from every token",
    },
    refused: {
      custom_validate: "custom Python code does not run here; use required_scopes and trusted_clients under issuers",
      enforce_rbac: "use access.groups",
      enforce_scope_based_access: "use issuers[].required_scopes",
      enforce_team_based_model_access: "use access.groups.<team>.models and litellm_jwtauth.team_ids_jwt_field",
      object_id_jwt_field: "use user_id_jwt_field or team_id_jwt_field",
      oidc_userinfo_enabled: "rights come from the signed token",
      role_permissions: "use access.groups",
      scope_mappings: "use access.groups",
    },
  },
};

interface Sorted {
  readonly value: unknown;
  readonly warnings: readonly string[];
  readonly problems: readonly ConfigProblem[];
}

/** Takes the known but unread keys out of a parsed configuration, saying so for each. */
export function sortLitellmKeys(value: unknown): Sorted {
  const warnings: string[] = [];
  const problems: ConfigProblem[] = [];
  const strip = (node: unknown, path: string): unknown => {
    if (!isRecord(node)) return node;
    const unread = sections[path];
    const kept: Record<string, unknown> = {};
    for (const [key, inner] of Object.entries(node)) {
      const at = path === "" ? key : `${path}.${key}`;
      const why = unread?.ignored[key];
      const instead = unread?.refused[key];
      if (why !== undefined) warnings.push(`${at} is ignored: ${why}`);
      else if (instead !== undefined) problems.push({ name: at, problem: `is not supported: ${instead}` });
      else kept[key] = Object.hasOwn(sections, at) ? strip(inner, at) : inner;
    }
    return kept;
  };
  return { value: strip(value, ""), warnings, problems };
}

/** For the documentation's table: every key LiteLLM knows that is not read, and why. */
export function unreadKeys(): readonly {
  readonly key: string;
  readonly treated: "ignored" | "refused";
  why: string;
}[] {
  return Object.entries(sections).flatMap(([section, { ignored, refused }]) => {
    const row = (treated: "ignored" | "refused") => (entry: [string, string]) => ({
      key: section === "" ? entry[0] : `${section}.${entry[0]}`,
      treated,
      why: entry[1],
    });
    return [...Object.entries(ignored).map(row("ignored")), ...Object.entries(refused).map(row("refused"))];
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
