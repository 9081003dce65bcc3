import * as oidc from "openid-client";
import type { SignInSettings } from "./settings.ts";

/** What a client shows its person (RFC 8628 section 3.2). */
interface DeviceAuthorization {
  readonly device_code: string;
  readonly user_code: string;
  readonly verification_uri: string;
  readonly verification_uri_complete?: string;
  readonly expires_in: number;
  readonly interval?: number;
}

/** What a client works with (RFC 6749 section 5.1). */
export interface Tokens {
  readonly access_token: string;
  readonly token_type: "Bearer";
  readonly expires_in?: number;
  readonly refresh_token?: string;
}

/**
 * Signs people in at the identity provider, for clients that know only this gateway's address. Nothing is made and
 * nothing kept here: what the provider gives is handed on, so the token is the person's own, good for this gateway.
 */
export interface SignIn {
  readonly managedSettings: Readonly<Record<string, unknown>> | undefined;
  /** @throws SignInRefused */
  begin(): Promise<DeviceAuthorization>;
  /** One poll of the device's. @throws SignInRefused `authorization_pending` and others of RFC 8628 section 3.5 */
  redeem(deviceCode: string): Promise<Tokens>;
  /** @throws SignInRefused `invalid_grant` when the person has to sign in again */
  renew(refreshToken: string): Promise<Tokens>;
}

/** An error of RFC 6749 section 5.2 or RFC 8628 section 3.5, in words fit for the client. */
export class SignInRefused extends Error {
  override readonly name = "SignInRefused";
  readonly status: number;
  readonly error: string;

  constructor(status: number, error: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.status = status;
    this.error = error;
  }
}

/** RFC 8628 section 3.4. */
export const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code";
const timeoutSeconds = 10;
/** At once, over all clients: nobody has proved anything yet. */
const maxUnderWay = 64;

/** The provider is looked for with the first sign-in, so that the gateway starts without it. */
export function createSignIn(settings: SignInSettings): SignIn {
  const { issuer, client_id, client_secret, scopes, audience, managed_settings } = settings;
  let known: Promise<oidc.Configuration> | undefined;
  let underWay = 0;

  const connect = (): Promise<oidc.Configuration> => {
    known ??= oidc
      .discovery(new URL(issuer), client_id, {}, clientAuth(client_secret), {
        timeout: timeoutSeconds,
        execute: issuer.startsWith("http:") ? [oidc.allowInsecureRequests] : [],
      })
      .catch((error: unknown) => {
        known = undefined;
        throw error;
      });
    return known;
  };
  const atProvider = async <T>(ask: (server: oidc.Configuration) => Promise<T>): Promise<T> => {
    if (underWay >= maxUnderWay)
      throw new SignInRefused(429, "slow_down", "Many people sign in right now. Wait a moment.");
    underWay += 1;
    try {
      return await ask(await connect());
    } catch (error) {
      throw refusal(error);
    } finally {
      underWay -= 1;
    }
  };
  const more: Record<string, string> = audience === undefined ? {} : { audience };
  return {
    managedSettings: managed_settings,
    begin: () =>
      atProvider(async (server) => {
        const begun = await oidc.initiateDeviceAuthorization(server, { scope: scopes.join(" "), ...more });
        const { device_code, user_code, verification_uri, verification_uri_complete, expires_in, interval } = begun;
        return {
          device_code,
          user_code,
          verification_uri,
          ...(verification_uri_complete === undefined ? {} : { verification_uri_complete }),
          expires_in,
          ...(interval === undefined ? {} : { interval }),
        };
      }),
    redeem: (device_code) =>
      atProvider(async (server) => tokensOf(await oidc.genericGrantRequest(server, deviceGrant, { device_code }))),
    renew: (refreshToken) =>
      atProvider(async (server) => tokensOf(await oidc.refreshTokenGrant(server, refreshToken, more))).catch(
        sessionEnded,
      ),
  };
}

function clientAuth(secret: string | undefined): oidc.ClientAuth {
  return secret === undefined ? oidc.None() : oidc.ClientSecretPost(secret);
}

function tokensOf({ access_token, expires_in, refresh_token }: oidc.TokenEndpointResponse): Tokens {
  return {
    access_token,
    token_type: "Bearer",
    ...(expires_in === undefined ? {} : { expires_in }),
    ...(refresh_token === undefined ? {} : { refresh_token }),
  };
}

/** The client's own course: it waits, asks again, or begins anew. */
const expected: Readonly<Record<string, string>> = {
  authorization_pending: "The sign-in has not been finished in the browser yet.",
  slow_down: "Ask less often.",
  access_denied: "The sign-in was refused in the browser.",
  expired_token: "The sign-in took too long. Begin again.",
  invalid_grant: "The session has ended. Sign in again.",
};

/** With 401 the client forgets the session and signs its person in anew; OAuth's own 400 it would take for a fault. */
function sessionEnded(error: unknown): never {
  if (!(error instanceof SignInRefused) || error.error !== "invalid_grant") throw error;
  throw new SignInRefused(401, error.error, error.message, error.cause);
}

/** What the provider refuses for another reason is our set-up; what it does not answer, an outage. */
function refusal(error: unknown): SignInRefused {
  if (error instanceof SignInRefused) return error;
  if (error instanceof oidc.ResponseBodyError && error.status < 500) {
    const words = expected[error.error];
    if (words !== undefined)
      return new SignInRefused(error.error === "slow_down" ? 400 : error.status, error.error, words, error);
    const message = "The identity provider does not let this gateway sign people in. Tell its operator.";
    return new SignInRefused(502, "server_error", message, error);
  }
  const message = "The identity provider cannot be reached at the moment. Try again in a few seconds.";
  return new SignInRefused(503, "temporarily_unavailable", message, error);
}
