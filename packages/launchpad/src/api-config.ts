import { type ConfigProblem, count, type Env, flag, list, origins, urls } from "@onbehalf/service-kit";
import { z } from "zod";
import { needed } from "./needed.ts";
import { type ProviderConfig, type ProviderId, providerIds } from "./providers-config.ts";

/** The public API: whose tokens open it, and how much is asked of it. */
export interface ApiConfig {
  readonly jwtEnabled: boolean;
  readonly issuers: readonly ApiIssuer[];
  readonly audience: readonly string[];
  readonly requiredScopes: readonly string[];
  /** Whose back-end client exchanges a public API client's token. */
  readonly provider: ProviderId;
  readonly corsOrigins: readonly string[];
  readonly appRequestsPerMinute: number;
  readonly clientRequestsPerMinute: number;
  /** For people at a shell: what prints a token of theirs, and a key. Shown on the API's page. */
  readonly commands: { readonly token: string | undefined; readonly key: string | undefined };
}

/** An authorization server whose access tokens open the public API. */
interface ApiIssuer {
  readonly issuer: string;
  readonly jwksUri: string | undefined;
}

export function apiVariables(env: Env) {
  const jwt = env.API_AUTH_JWT_ENABLED === "true";
  return {
    API_AUTH_JWT_ENABLED: flag().default(false),
    API_AUTH_JWKS_URI: urls({ httpOnLoopbackOnly: true }).optional(),
    // Without an address of its own, the keys' is read in a document of the issuer's.
    API_AUTH_ISSUER: needed(urls({ httpOnLoopbackOnly: !env.API_AUTH_JWKS_URI }), jwt),
    API_AUTH_AUDIENCE: needed(list({ min: 1 }), jwt),
    API_AUTH_REQUIRED_SCOPES: list().optional(),
    API_AUTH_ACCESS_TOKEN_IDP: z.enum(providerIds).optional(),
    API_CORS_ORIGINS: origins().optional(),
    API_APP_RPM: count({ min: 1 }).default(6_000),
    API_DOCS_TOKEN_COMMAND: z.string().trim().min(1).optional(),
    API_DOCS_KEY_COMMAND: z.string().trim().min(1).optional(),
    API_CLIENT_RPM: count({ min: 1 }).default(1_200),
  };
}

type Values = z.infer<z.ZodObject<ReturnType<typeof apiVariables>>>;

/** What is wrong with them beside each other, and beside the login providers; of those that are no good by themselves nothing. */
export function apiProblems(values: Partial<Values>, providers: readonly ProviderId[]): ConfigProblem[] {
  const { API_AUTH_ISSUER: issuers, API_AUTH_JWKS_URI: jwksUris, API_AUTH_ACCESS_TOKEN_IDP: provider } = values;
  const problems: ConfigProblem[] = [];
  const say = (name: string, problem: string) => problems.push({ name, problem });
  if (provider !== undefined && !providers.includes(provider)) {
    say("API_AUTH_ACCESS_TOKEN_IDP", `is ${provider}, which is not a login provider here`);
  }
  if (values.API_AUTH_JWT_ENABLED !== true) return problems;
  if (issuers !== undefined && jwksUris !== undefined && jwksUris.length !== issuers.length) {
    const expected = `expected one for each of the ${issuers.length} in API_AUTH_ISSUER, in the same order`;
    say("API_AUTH_JWKS_URI", `has ${jwksUris.length} entries: ${expected}`);
  }
  for (const issuer of new Set(issuers?.filter((each, at) => issuers.indexOf(each) !== at))) {
    say("API_AUTH_ISSUER", `names ${issuer} twice`);
  }
  if (providers.length > 1 && provider === undefined) {
    const why = "with several login providers it says which one exchanges the API clients' tokens";
    say("API_AUTH_ACCESS_TOKEN_IDP", `is missing: ${why}`);
  }
  return problems;
}

export function apiConfig(values: Values, providers: readonly ProviderConfig[]): ApiConfig {
  return {
    jwtEnabled: values.API_AUTH_JWT_ENABLED,
    issuers: (values.API_AUTH_ISSUER ?? []).map((issuer, at) => ({ issuer, jwksUri: values.API_AUTH_JWKS_URI?.[at] })),
    audience: values.API_AUTH_AUDIENCE ?? [],
    requiredScopes: values.API_AUTH_REQUIRED_SCOPES ?? [],
    provider: values.API_AUTH_ACCESS_TOKEN_IDP ?? providers[0]?.id ?? "okta",
    corsOrigins: values.API_CORS_ORIGINS ?? [],
    appRequestsPerMinute: values.API_APP_RPM,
    clientRequestsPerMinute: values.API_CLIENT_RPM,
    commands: { token: values.API_DOCS_TOKEN_COMMAND, key: values.API_DOCS_KEY_COMMAND },
  };
}
