import type { ConfigProblem } from "@onbehalf/service-kit";
import { type Algorithm, type IssuerOptions, isLoopback } from "@onbehalf/shared-auth";
import type { AttributeMapping } from "../claims.ts";
import type { Environment } from "./environment.ts";
import type { FileSettings, IssuerShape } from "./file-schema.ts";

/** An identity provider whose tokens are accepted, and how its claims are read. */
export interface TrustedIssuer {
  readonly options: IssuerOptions;
  readonly mapping: AttributeMapping;
  /** Tokens of applications without a user are accepted, as their project. */
  readonly allowProjects: boolean;
}

type Problems = ConfigProblem[];

/** Every issuer that the file and the environment name. Problems are added to `problems`. */
export function readIssuers(
  file: FileSettings,
  environment: Environment,
  problems: Problems,
): readonly TrustedIssuer[] {
  const general = file.general_settings;
  if (!general.enable_jwt_auth) return [];
  const found = [
    ...file.issuers.map((shape, index) => fromOwn(shape, `issuers[${index}]`, problems)),
    ...fromJwtSettings(file, environment, problems),
    ...fromKeyUrl(file, environment, problems),
  ];
  const seen = new Set<string>();
  for (const { options } of found) {
    if (seen.has(options.issuer)) problems.push({ name: "issuers", problem: `${options.issuer} is configured twice` });
    seen.add(options.issuer);
  }
  return found;
}

function fromOwn(shape: IssuerShape, at: string, problems: Problems): TrustedIssuer {
  checkTransport(shape.public_key_url, `${at}.public_key_url`, problems);
  checkTransport(shape.discovery_url, `${at}.discovery_url`, problems);
  // With an address for its keys the issuer is a name and no more.
  const isNameOnly = shape.public_key_url !== undefined || shape.discovery_url !== undefined;
  if (URL.canParse(shape.issuer)) checkTransport(shape.issuer, `${at}.issuer`, problems);
  else if (!isNameOnly) {
    const problem = `expected https://…, where its discovery document is, or public_key_url beside it; got ${shape.issuer}`;
    problems.push({ name: `${at}.issuer`, problem });
  }
  const claims = shape.claims;
  return {
    options: {
      issuer: shape.issuer,
      audience: shape.audience,
      ...(shape.public_key_url === undefined ? {} : { jwksUri: shape.public_key_url }),
      ...(shape.discovery_url === undefined ? {} : { discoveryUrl: shape.discovery_url }),
      ...(shape.dialect === undefined ? {} : { dialect: shape.dialect }),
      ...(shape.algorithms === undefined ? {} : { algorithms: shape.algorithms }),
      ...(shape.required_scopes === undefined ? {} : { requiredScopes: shape.required_scopes }),
      ...(shape.trusted_clients === undefined ? {} : { trustedClients: shape.trusted_clients }),
      ...groupsAt(claims.groups),
    },
    mapping: {
      userId: or(claims.user_id, ["email", "sub"]),
      email: or(claims.user_email, ["email"]),
      // Only where it is mapped: a claim that somebody happens to call `role` makes nobody an administrator.
      role: or(claims.user_role, []),
      teamId: or(claims.team_id, ["team_id", "team"]),
      defaultTeam: undefined,
    },
    allowProjects: shape.allow_projects,
  };
}

/** `jwt_settings`: everything is said there; the documented defaults are `sub`, `email`, `role`, `team`. */
function fromJwtSettings(file: FileSettings, environment: Environment, problems: Problems): readonly TrustedIssuer[] {
  const settings = file.general_settings.jwt_settings;
  if (settings === undefined) return [];
  checkTransport(settings.public_key_url, "general_settings.jwt_settings.public_key_url", problems);
  const claims = settings.user_claim_mappings;
  return [
    {
      options: {
        issuer: settings.issuer,
        audience: settings.audience,
        jwksUri: settings.public_key_url,
        algorithms: list<Algorithm>(settings.algorithm),
        dialect: dialectOf(settings.public_key_url),
        ...scopesOf(environment),
      },
      mapping: {
        userId: [claims.user_id ?? "sub"],
        email: [claims.user_email ?? "email"],
        role: [claims.user_role ?? "role"],
        teamId: [claims.team_id ?? "team"],
        defaultTeam: undefined,
      },
      allowProjects: false,
    },
  ];
}

/** `jwt_public_key_url` of the file, or JWT_PUBLIC_KEY_URL; issuer and audience beside it. */
function fromKeyUrl(file: FileSettings, environment: Environment, problems: Problems): readonly TrustedIssuer[] {
  const general = file.general_settings;
  const keysUrl = general.jwt_public_key_url ?? environment.JWT_PUBLIC_KEY_URL;
  if (keysUrl === undefined) return [];
  checkTransport(keysUrl, "JWT_PUBLIC_KEY_URL", problems);
  const issuer = general.jwt_issuer ?? environment.JWT_ISSUER ?? issuerOf(keysUrl);
  const audience = general.jwt_audience ?? environment.JWT_AUDIENCE;
  if (issuer === undefined) {
    problems.push({ name: "JWT_ISSUER", problem: `is not set, and cannot be told from the key address ${keysUrl}` });
  }
  if (audience === undefined) {
    problems.push({
      name: "JWT_AUDIENCE",
      problem:
        "is not set: without an audience a token made for any other service would open this one. Set it, or general_settings.jwt_audience, to the audience your identity provider writes for this gateway",
    });
  }
  if (issuer === undefined || audience === undefined) return [];
  const auth = general.litellm_jwtauth;
  return [
    {
      options: {
        issuer,
        audience,
        jwksUri: keysUrl,
        dialect: dialectOf(keysUrl),
        ...scopesOf(environment),
        ...groupsAt(auth?.team_ids_jwt_field),
      },
      mapping: {
        userId: or(auth?.user_id_jwt_field, ["email", "sub"]),
        email: or(auth?.user_email_jwt_field, ["email"]),
        role: or(auth?.user_roles_jwt_field ?? auth?.roles_jwt_field, []),
        teamId: or(auth?.team_id_jwt_field, ["team_id", "team"]),
        defaultTeam: auth?.team_id_default,
      },
      // As in LiteLLM, a client's own token is a project's. In the plain set-up by environment only users are let in.
      allowProjects: environment.GATEWAY_CONFIG !== undefined,
    },
  ];
}

function groupsAt(path: string | undefined): { claims?: { groups: string } } {
  return path === undefined ? {} : { claims: { groups: path } };
}

function scopesOf(environment: Environment): { requiredScopes?: readonly string[] } {
  return environment.JWT_REQUIRED_SCOPE === undefined ? {} : { requiredScopes: environment.JWT_REQUIRED_SCOPE };
}

/** The issuer, where the address of the keys has the form its provider gives it. */
function issuerOf(keysUrl: string): string | undefined {
  const forms = [
    /^(https?:\/\/.+\/oauth2\/[^/]+)\/v1\/keys$/,
    /^(https?:\/\/.+\/realms\/[^/]+)\/protocol\/openid-connect\/certs$/,
    /^(https?:\/\/.+?)\/\.well-known\/openid-configuration\/jwks$/,
    /^(https?:\/\/.+?)\/\.well-known\/jwks(?:\.json)?$/,
  ];
  return forms.map((form) => form.exec(keysUrl)?.[1]).find((issuer) => issuer !== undefined);
}

/** LiteLLM takes any token with the right audience, so where the address tells no provider, its tokens may say little. */
function dialectOf(keysUrl: string): "okta" | "keycloak" | "entra" | "plain" {
  if (/\/oauth2\/(?:[^/]+\/)?v1\/keys$/.test(keysUrl)) return "okta";
  // An ID token of Entra's need not say that it is one, and an application that is its own audience gets both kinds.
  if (/^https:\/\/login\.microsoftonline\.\w+\/|\/discovery\/v2\.0\/keys(?:\?|$)/.test(keysUrl)) return "entra";
  return keysUrl.includes("/protocol/openid-connect/certs") ? "keycloak" : "plain";
}

/** Keys fetched over plain http can be replaced on the way; only this machine itself is excepted. */
function checkTransport(address: string | undefined, name: string, problems: Problems): void {
  if (address === undefined) return;
  const parsed = URL.parse(address);
  if (parsed === null || !["https:", "http:"].includes(parsed.protocol)) {
    problems.push({ name, problem: `expected https://…, got ${address}` });
  } else if (parsed.protocol === "http:" && !isLoopback(parsed.hostname)) {
    problems.push({ name, problem: `expected https://…: plain http is for this machine only, got ${address}` });
  }
}

function or(path: string | undefined, standard: readonly string[]): readonly string[] {
  return path === undefined ? standard : [path];
}

function list<T extends string>(value: T | readonly T[]): readonly T[] {
  return typeof value === "string" ? [value] : value;
}
