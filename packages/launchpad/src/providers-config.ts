import { type ConfigProblem, type Env, list, privateKeyFile, secret, url } from "@onbehalf/service-kit";
import { z } from "zod";
import { needed } from "./needed.ts";

/** The login providers this service knows how to be told about. */
export const providerIds = ["okta", "keycloak", "entra", "oidc"] as const;
export type ProviderId = (typeof providerIds)[number];

/** How to authenticate as the back-end client that exchanges tokens. */
export type BackendAuth =
  | { readonly method: "client_secret_basic"; readonly secret: string }
  | { readonly method: "private_key_jwt"; readonly keyFile: string };

/** One login provider, with the client that signs people in and the one that exchanges their tokens. */
export interface ProviderConfig {
  readonly id: ProviderId;
  /** What the choice page calls it. */
  readonly label: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Scopes to ask for at login; undefined = the usual ones, and `groups` where the provider offers it. */
  readonly scopes: readonly string[] | undefined;
  /** The ID token's claim that lists the groups. */
  readonly groupsClaim: string;
  /** Asked for at the authorization endpoint where a provider wants it (Auth0). */
  readonly loginAudience: string | undefined;
  readonly exchange: {
    readonly profile: "okta" | "keycloak" | "entra" | "auth0" | "zitadel" | "rfc8693" | "id_jag";
    readonly audience: string | undefined;
    readonly clientId: string;
    readonly auth: BackendAuth;
    /** Instead of the general scopes, where this provider names them differently (Entra: `api://…/.default`). */
    readonly scopes: readonly string[] | undefined;
  };
}

const text = () => z.string().trim().min(1);
const profiles = ["okta", "keycloak", "entra", "auth0", "zitadel", "rfc8693", "id_jag"] as const;

const loopback = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** A domain may carry a scheme; plain http is for this machine only, as tokens travel there. */
function domain() {
  return text()
    .transform((given) => (given.includes("://") ? given : `https://${given}`))
    .refine((given) => /^https?:$/.test(parse(given)?.protocol ?? "") && parse(given)?.username === "", {
      error: "expected a domain such as your-domain.okta.com",
      abort: true,
    })
    .refine((given) => parse(given)?.protocol === "https:" || loopback.has(parse(given)?.hostname ?? ""), {
      error: "expected https; plain http is accepted on this machine only (localhost)",
    })
    .transform((given) => given.replace(/\/+$/, ""));
}

function parse(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

/** What every provider is told alike, under its own prefix. */
const shared = (hasKey: boolean) => ({
  CLIENT_ID: text(),
  CLIENT_SECRET: secret(),
  BACKEND_CLIENT_ID: text(),
  // The private key wins over a secret, as a deployment that moves to keys would have both for a while.
  BACKEND_CLIENT_SECRET: hasKey ? secret().optional() : secret(),
  BACKEND_CLIENT_PRIVATE_KEY_FILE: privateKeyFile().optional(),
  AUTHORIZATION_SERVER_AUDIENCE: text(),
  NAME: text().optional(),
  SCOPES: list().optional(),
  GROUPS_CLAIM: text().optional(),
  LOGIN_AUDIENCE: text().optional(),
  VOICEBOX_SERVICE_SCOPE: list().optional(),
});

type IsGiven = (name: string) => boolean;

/** What only this provider needs, to know where its issuer is; `<NAME>_ISSUER` says it outright and replaces them. */
const own: Record<ProviderId, (isGiven: IsGiven) => z.ZodRawShape> = {
  okta: () => ({ DOMAIN: domain(), AUTHORIZATION_SERVER_ID: text() }),
  keycloak: (isGiven) => ({ DOMAIN: domain(), ...serverId("REALM", isGiven) }),
  entra: (isGiven) => ({
    DOMAIN: domain().default("https://login.microsoftonline.com"),
    ...serverId("TENANT_ID", isGiven),
  }),
  oidc: (isGiven) => ({
    ISSUER: needed(issuerUrl(), !isGiven("DOMAIN")),
    DOMAIN: domain().optional(),
    AUTHORIZATION_SERVER_ID: text().optional(),
    EXCHANGE_PROFILE: z.enum(profiles).default("rfc8693"),
  }),
};

/** What can be said by its own name and in Okta's words. */
const twoNames: Partial<Record<ProviderId, readonly [name: string, other: string]>> = {
  keycloak: ["REALM", "AUTHORIZATION_SERVER_ID"],
  entra: ["TENANT_ID", "AUTHORIZATION_SERVER_ID"],
  oidc: ["ISSUER", "DOMAIN"],
};

function serverId(name: string, isGiven: IsGiven): z.ZodRawShape {
  return { [name]: needed(text(), !isGiven("AUTHORIZATION_SERVER_ID")), AUTHORIZATION_SERVER_ID: text().optional() };
}

function issuerUrl() {
  return url({ httpOnLoopbackOnly: true });
}

/** The variables of one provider, with its prefix: `OKTA_CLIENT_ID`, `KEYCLOAK_REALM`… */
export function providerVariables(id: ProviderId, env: Env): z.ZodRawShape {
  const prefix = prefixOf(id);
  const isGiven: IsGiven = (name) => Boolean(env[prefix + name] || env[`${prefix + name}_FILE`]);
  const isOutright = id !== "oidc" && isGiven("ISSUER");
  const shape: z.ZodRawShape = {
    ...shared(Boolean(env[`${prefix}BACKEND_CLIENT_PRIVATE_KEY_FILE`])),
    ...(isOutright ? { ISSUER: issuerUrl() } : own[id](isGiven)),
  };
  return Object.fromEntries(Object.entries(shape).map(([name, schema]) => [prefix + name, schema]));
}

/** What the variables of one provider say against each other; `values` are those that are good by themselves. */
export function providerProblems(id: ProviderId, values: Readonly<Record<string, unknown>>): ConfigProblem[] {
  const [name, other] = twoNames[id] ?? [];
  const mine = withoutPrefix(id, values);
  if (name === undefined || other === undefined || mine[name] === undefined || mine[other] === undefined) return [];
  const said = id === "oidc" ? issuerBelow(mine) : mine[other];
  if (said === mine[name]) return [];
  const problem = `says another thing than ${prefixOf(id)}${other}, which is another name of it: leave one out`;
  return [{ name: prefixOf(id) + name, problem }];
}

function prefixOf(id: ProviderId): string {
  return `${id.toUpperCase()}_`;
}

function withoutPrefix(id: ProviderId, values: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const prefix = prefixOf(id);
  const mine = Object.entries(values).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(mine.map(([name, value]) => [name.slice(prefix.length), value]));
}

interface SharedValues {
  CLIENT_ID: string;
  CLIENT_SECRET: string;
  BACKEND_CLIENT_ID: string;
  BACKEND_CLIENT_SECRET?: string;
  BACKEND_CLIENT_PRIVATE_KEY_FILE?: string;
  AUTHORIZATION_SERVER_AUDIENCE: string;
  NAME?: string;
  SCOPES?: string[];
  GROUPS_CLAIM?: string;
  LOGIN_AUDIENCE?: string;
  VOICEBOX_SERVICE_SCOPE?: string[];
}

/** Reads one provider out of the checked variables. */
export function readProvider(id: ProviderId, values: Readonly<Record<string, unknown>>): ProviderConfig {
  const mine = withoutPrefix(id, values) as unknown as SharedValues & Record<string, string>;
  return {
    id,
    label: mine.NAME ?? labels[id],
    issuer: issuerOf(id, mine),
    clientId: mine.CLIENT_ID,
    clientSecret: mine.CLIENT_SECRET,
    scopes: mine.SCOPES,
    groupsClaim: mine.GROUPS_CLAIM ?? "groups",
    loginAudience: mine.LOGIN_AUDIENCE,
    exchange: {
      profile: id === "oidc" ? (mine.EXCHANGE_PROFILE as (typeof profiles)[number]) : id,
      audience: id === "entra" ? undefined : mine.AUTHORIZATION_SERVER_AUDIENCE,
      clientId: mine.BACKEND_CLIENT_ID,
      auth: backendAuth(mine),
      scopes: mine.VOICEBOX_SERVICE_SCOPE,
    },
  };
}

const labels: Record<ProviderId, string> = {
  okta: "Okta",
  keycloak: "Keycloak",
  entra: "Microsoft Entra ID",
  oidc: "Single sign-on",
};

function backendAuth(mine: SharedValues): BackendAuth {
  const keyFile = mine.BACKEND_CLIENT_PRIVATE_KEY_FILE;
  if (keyFile !== undefined) return { method: "private_key_jwt", keyFile };
  return { method: "client_secret_basic", secret: mine.BACKEND_CLIENT_SECRET ?? "" };
}

function issuerOf(id: ProviderId, mine: Readonly<Record<string, unknown>>): string {
  if (mine.ISSUER !== undefined) return String(mine.ISSUER);
  if (id === "oidc") return issuerBelow(mine);
  if (id === "okta") return `${mine.DOMAIN}/oauth2/${mine.AUTHORIZATION_SERVER_ID}`;
  if (id === "keycloak") return `${mine.DOMAIN}/realms/${mine.REALM ?? mine.AUTHORIZATION_SERVER_ID}`;
  return `${mine.DOMAIN}/${mine.TENANT_ID ?? mine.AUTHORIZATION_SERVER_ID}/v2.0`;
}

/** Where providers of any make have their issuers is not known: the id is the path, and without one it is the domain. */
function issuerBelow({ DOMAIN: at, AUTHORIZATION_SERVER_ID: path }: Readonly<Record<string, unknown>>): string {
  return path === undefined ? String(at) : `${at}/${String(path).replace(/^\/+|\/+$/g, "")}`;
}
