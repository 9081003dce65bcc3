import type {
  AccountClaims,
  Adapter,
  Configuration,
  Interaction,
  interactionPolicy as InteractionPolicy,
  Provider as ProviderType,
} from "oidc-provider";
import { carriedAtSignIn, writeToken } from "./access-token.ts";
import type { Accounts } from "./accounts.ts";
import { acr, stepUpCheck } from "./acr.ts";
import { completeAnswers } from "./answers.ts";
import { allowedAudience, audienceOf, resourceOf, resourceServer, scopesOf, wantedAudience } from "./audiences.ts";
import { type Carried, claimsByScope, profileClaims, profileScopeClaims } from "./claims.ts";
import type { IssuerDefinition } from "./definitions.ts";
import { devicePages, keepLinkedCode } from "./device.ts";
import type { Dialect } from "./dialects/dialect.ts";
import { registerTokenExchange } from "./exchange/grant.ts";
import { registerAssertionGrant } from "./exchange/id-jag.ts";
import type { GrantSetting } from "./exchange/issue.ts";
import { registerOnBehalfOf } from "./exchange/on-behalf-of.ts";
import type { TrustedIssuer } from "./exchange/subject.ts";
import { existingGrant } from "./grants.ts";
import type { SigningKeys } from "./keys.ts";
import { interactionPolicy, Provider } from "./library.ts";
import type { Lifetimes } from "./lifetimes.ts";
import { type Notes, noteGrants } from "./notes.ts";
import { showError, showSignedOut, showSignOut } from "./pages/provider-pages.ts";
import { addSignIn } from "./sign-in.ts";
import type { StepUp } from "./step-up.ts";
import type { ReferenceOf } from "./token-reference.ts";

/** All an issuer's provider is made of. */
interface ProviderParts {
  readonly name: string;
  readonly url: string;
  readonly definition: IssuerDefinition;
  readonly accounts: Accounts;
  readonly keys: SigningKeys;
  readonly secret: string;
  readonly storage: (model: string) => Adapter;
  readonly referenceOf: ReferenceOf;
  readonly lifetimes: Lifetimes;
  readonly dialect: Dialect;
  readonly stepUp: StepUp;
  readonly notes: Notes;
  /** This issuer, then those it trusts. */
  readonly trusted: () => Promise<readonly [TrustedIssuer, ...TrustedIssuer[]]>;
  readonly urlOf: (name: string) => string | undefined;
}

/** One issuer, on the certified library. Made anew when its keys change; what it remembers is in the storage. */
export function createProvider(parts: ProviderParts): ProviderType {
  const carried = new WeakMap<object, Carried>();
  const provider = new Provider(parts.url, configuration(parts, carried));
  completeAnswers(provider, parts.dialect);
  noteGrants(provider, parts.notes);
  keepLinkedCode(provider);
  addSignIn(provider, { ...parts, issuerUrl: parts.url });
  const setting: GrantSetting = {
    ...parts,
    accessTokenSeconds: () => parts.lifetimes.accessTokenSeconds,
    carry: (token, what) => void carried.set(token, what),
  };
  registerTokenExchange(provider, setting);
  registerAssertionGrant(provider, setting);
  registerOnBehalfOf(provider, setting);
  return provider;
}

function configuration(parts: ProviderParts, carried: WeakMap<object, Carried>): Configuration {
  const { definition, lifetimes, accounts } = parts;
  return {
    adapter: parts.storage,
    jwks: { keys: [...parts.keys.all()] },
    scopes: scopesOf(definition),
    claims: { ...claimsByScope, profile: [...profileScopeClaims, ...(parts.dialect.profileClaims ?? [])] },
    acrValues: Object.values(acr),
    // Okta puts profile claims into the ID token too, and so do most providers.
    conformIdTokenClaims: false,
    clientAuthMethods: ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"],
    clientBasedCORS: () => false,
    cookies: cookies(parts),
    extraParams: ["audience"],
    extraTokenClaims: (ctx, token) => ({ ...(carried.get(token) ?? carriedAtSignIn(ctx, token, accounts)) }),
    features: features(parts),
    fetch: fetchOnLoopback,
    findAccount: (_ctx, subject) => account(parts, subject),
    formats: { customizers: { jwt: (_ctx, token, jwt) => writeToken(parts, token, jwt) } },
    interactions: { policy: policy(), url: (_ctx, interaction) => signInPath(parts.url, interaction) },
    issueRefreshToken: (_ctx, client, code) =>
      client.grantTypeAllowed("refresh_token") && code.scopes.has("offline_access"),
    loadExistingGrant: (ctx) => existingGrant(ctx, definition, accounts),
    pkce: { required: () => true },
    renderError: showError,
    responseTypes: ["code"],
    rotateRefreshToken: true,
    routes: {
      authorization: "/v1/authorize",
      device_authorization: "/v1/device_authorization",
      code_verification: "/v1/device",
      token: "/v1/token",
      jwks: "/v1/keys",
      userinfo: "/v1/userinfo",
      revocation: "/v1/revoke",
      introspection: "/v1/introspect",
      end_session: "/v1/logout",
    },
    ttl: {
      AccessToken: () => lifetimes.accessTokenSeconds,
      AuthorizationCode: 60,
      ClientCredentials: () => lifetimes.accessTokenSeconds,
      DeviceCode: () => lifetimes.deviceCodeSeconds,
      Grant: () => Math.max(lifetimes.refreshTokenSeconds, lifetimes.sessionSeconds),
      IdToken: () => lifetimes.idTokenSeconds,
      Interaction: 3600,
      RefreshToken: () => lifetimes.refreshTokenSeconds,
      Session: () => lifetimes.sessionSeconds,
    },
  };
}

/** Cookies know no port, so several issuers and services on localhost are told apart by name and path. */
function cookies({ name, url, secret }: ProviderParts): NonNullable<Configuration["cookies"]> {
  const path = new URL(url).pathname;
  return {
    keys: [secret],
    names: { session: `idp_${name}`, interaction: `idp_${name}_signin`, resume: `idp_${name}_resume` },
    long: { httpOnly: true, sameSite: "lax", signed: true, path },
    short: { httpOnly: true, sameSite: "lax", signed: true },
  };
}

function features(parts: ProviderParts): NonNullable<Configuration["features"]> {
  const { definition } = parts;
  return {
    devInteractions: { enabled: false },
    backchannelLogout: { enabled: true },
    claimsParameter: { enabled: true },
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true, ...devicePages(parts) },
    introspection: { enabled: true, allowedPolicy: (_ctx, client) => client.clientAuthMethod !== "none" },
    // RFC 7009, section 2.1: a token is revoked by the client it was issued to.
    pushedAuthorizationRequests: { enabled: false },
    revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
    resourceIndicators: {
      enabled: true,
      defaultResource: (ctx, client) => resourceOf(wantedAudience(ctx, definition, client?.clientId)),
      getResourceServerInfo: (_ctx, resource, client) =>
        resourceServer(definition, allowedAudience(definition, client.clientId, audienceOf(resource))),
      useGrantedResource: () => true,
    },
    rpInitiatedLogout: { enabled: true, logoutSource: showSignOut, postLogoutSuccessSource: showSignedOut },
    userinfo: { enabled: true },
  };
}

function account({ accounts, dialect }: ProviderParts, subject: string) {
  const user = accounts.bySubject(subject);
  if (user === undefined) return undefined;
  const claims = (): AccountClaims => ({ ...profileClaims(user, subject), ...dialect.profileOf?.(user) });
  return { accountId: subject, claims };
}

/** The library's policy, but a native client is first-party here, so it is not asked for consent each time. */
function policy(): InteractionPolicy.DefaultPolicy {
  const prompts = interactionPolicy.base();
  prompts.get("login")?.checks.add(stepUpCheck);
  const consent = prompts.get("consent");
  consent?.checks.remove("native_client_prompt");
  consent?.checks.remove("consent_prompt");
  return prompts;
}

function signInPath(issuerUrl: string, { uid }: Pick<Interaction, "uid">): string {
  return `${new URL(issuerUrl).pathname}/signin/${uid}`;
}

/** The library refuses to call loopback addresses, where all of the sandbox lives; its dispatcher is what does so. */
const fetchOnLoopback: NonNullable<Configuration["fetch"]> = (url, options) => {
  const { dispatcher: _, ...rest } = options as RequestInit & { dispatcher?: unknown };
  return fetch(url, rest);
};
