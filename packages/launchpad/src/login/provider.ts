import { HttpError } from "@onbehalf/service-kit";
import * as oidc from "openid-client";
import type { ProviderConfig } from "../providers-config.ts";
import { RefreshRefused } from "../session/refresh.ts";
import type { SessionTokens } from "../session/session.ts";
import type { Login } from "../session/sessions.ts";
import type { Discovery } from "./discovery.ts";
import { LoginFailure } from "./failure.ts";
import { userFrom } from "./user.ts";

/** What one login attempt must match when the browser comes back. */
export interface LoginChecks {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

/** One place to sign in. */
export interface Provider {
  readonly config: ProviderConfig;
  /** Where to send the browser (authorization code, PKCE S256). `claims`: a claims challenge to satisfy. */
  authorizationUrl(checks: LoginChecks, redirectUri: string, claims: string | undefined): Promise<URL>;
  /** Ends the login with the address the browser came back to. @throws LoginFailure */
  complete(currentUrl: URL, checks: LoginChecks): Promise<Login>;
  /** @throws RefreshRefused when the provider ends this login; HttpError 503 when it cannot be reached */
  refresh(tokens: SessionTokens): Promise<SessionTokens>;
  /** RP-initiated logout; undefined when the provider has no such page. */
  logoutUrl(idToken: string | undefined, returnTo: string): Promise<URL | undefined>;
  metadata(): Promise<oidc.ServerMetadata>;
  ready(): void;
  close(): void;
}

const wantedScopes = ["openid", "profile", "email", "offline_access"];

/** The one that a path or a cookie names. */
export function providerNamed(providers: readonly Provider[], id: string | undefined): Provider | undefined {
  return providers.find(({ config }) => config.id === id);
}

/** One login provider, once `discover` has found it. */
export function createProvider(config: ProviderConfig, discovery: Discovery, now: () => number = Date.now): Provider {
  return {
    config,
    async authorizationUrl(checks, redirectUri, claims) {
      const server = await discovery.configuration();
      return oidc.buildAuthorizationUrl(server, {
        redirect_uri: redirectUri,
        scope: scopesFor(config, server.serverMetadata()).join(" "),
        code_challenge: await oidc.calculatePKCECodeChallenge(checks.verifier),
        code_challenge_method: "S256",
        state: checks.state,
        nonce: checks.nonce,
        ...(config.loginAudience === undefined ? {} : { audience: config.loginAudience }),
        ...(claims === undefined ? {} : { claims }),
      });
    },
    async complete(currentUrl, checks) {
      try {
        return await discovery.verifying(async (server) => {
          const answer = await oidc.authorizationCodeGrant(server, currentUrl, {
            pkceCodeVerifier: checks.verifier,
            expectedState: checks.state,
            expectedNonce: checks.nonce,
            idTokenExpected: true,
          });
          return toLogin(config, server, answer, now());
        });
      } catch (error) {
        throw LoginFailure.from(error, config.label);
      }
    },
    async refresh(tokens) {
      try {
        const answer = await discovery.verifying((server) => oidc.refreshTokenGrant(server, tokens.refresh ?? ""));
        const renewed = tokensFrom(answer, now());
        // A provider that rotates nothing sends nothing back: the old ones stay good.
        return { ...renewed, refresh: renewed.refresh ?? tokens.refresh, id: renewed.id ?? tokens.id };
      } catch (error) {
        throw refreshFailure(error, config.label);
      }
    },
    async logoutUrl(idToken, returnTo) {
      const server = await discovery.configuration();
      if (server.serverMetadata().end_session_endpoint === undefined) return undefined;
      const hint: Record<string, string> = idToken === undefined ? {} : { id_token_hint: idToken };
      return oidc.buildEndSessionUrl(server, { ...hint, post_logout_redirect_uri: returnTo });
    },
    async metadata() {
      return (await discovery.configuration()).serverMetadata();
    },
    ready: () => discovery.ready(),
    close: () => discovery.close(),
  };
}

/** The usual scopes, and `groups` where the provider says it knows that one; others would refuse the whole login. */
function scopesFor(config: ProviderConfig, metadata: oidc.ServerMetadata): readonly string[] {
  if (config.scopes !== undefined) return config.scopes;
  return metadata.scopes_supported?.includes("groups") === true ? [...wantedScopes, "groups"] : wantedScopes;
}

type TokenAnswer = Awaited<ReturnType<typeof oidc.authorizationCodeGrant>>;

/** An access token without a stated lifetime is treated as one that ends soon. */
const assumedLifeSeconds = 300;

function tokensFrom(answer: TokenAnswer, nowMs: number): SessionTokens {
  const obtainedAt = Math.floor(nowMs / 1000);
  return {
    access: answer.access_token,
    accessExpiresAt: obtainedAt + (answer.expiresIn() ?? assumedLifeSeconds),
    obtainedAt,
    refresh: answer.refresh_token,
    id: answer.id_token,
    scopes: answer.scope?.split(" ").filter((scope) => scope !== "") ?? [],
  };
}

async function toLogin(
  config: ProviderConfig,
  server: oidc.Configuration,
  answer: TokenAnswer,
  nowMs: number,
): Promise<Login> {
  const claims = answer.claims();
  if (claims === undefined) throw new Error("the token answer holds no ID token");
  const fromUserInfo = await missingClaims(config, server, answer.access_token, claims);
  const all = { ...fromUserInfo, ...claims };
  return {
    provider: config.id,
    user: userFrom(all, config.groupsClaim),
    providerSession: typeof claims.sid === "string" ? claims.sid : undefined,
    tokens: tokensFrom(answer, nowMs),
    claims: all,
  };
}

/** Some providers keep groups or the name for the userinfo endpoint. Without an answer there, what is known is enough. */
async function missingClaims(
  config: ProviderConfig,
  server: oidc.Configuration,
  accessToken: string,
  claims: oidc.IDToken,
): Promise<Record<string, unknown>> {
  const complete = claims[config.groupsClaim] !== undefined && claims.name !== undefined;
  if (complete || server.serverMetadata().userinfo_endpoint === undefined) return {};
  try {
    return await oidc.fetchUserInfo(server, accessToken, claims.sub);
  } catch {
    return {};
  }
}

function refreshFailure(error: unknown, label: string): Error {
  if (error instanceof HttpError) return error;
  if (error instanceof oidc.ResponseBodyError && error.status < 500 && error.status !== 429) {
    return new RefreshRefused(`${label} refused to renew the sign-in (${error.error})`, { cause: error });
  }
  return new HttpError(
    503,
    "provider_unavailable",
    `${label} cannot be reached to renew your sign-in. Try again soon.`,
    {
      cause: error,
      retryAfterSeconds: 5,
    },
  );
}
