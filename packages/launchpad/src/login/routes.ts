import type { RequestVariables } from "@onbehalf/service-kit";
import { HttpError } from "@onbehalf/service-kit";
import { isLoopback } from "@onbehalf/shared-auth";
import { type Context, Hono } from "hono";
import { noteSession, requireSameOrigin, type SessionVariables } from "../session/browser.ts";
import { type Cookie, maxCookieValueBytes } from "../session/cookie.ts";
import { formFields } from "../session/form.ts";
import type { Seal } from "../session/seal.ts";
import type { Session } from "../session/session.ts";
import type { Sessions } from "../session/sessions.ts";
import type { Attempts } from "./attempt.ts";
import { LoginFailure } from "./failure.ts";
import type { LogoutOrder } from "./logout-token.ts";
import type { Provider } from "./provider.ts";
import { safeReturnTo } from "./return-to.ts";

type Env = { Variables: RequestVariables & SessionVariables };

/** The pages that login and logout show; they know nothing of the rest. */
export interface LoginPages {
  choice(c: Context, providers: readonly Provider[], returnTo: string): Response | Promise<Response>;
  failure(c: Context, failure: LoginFailure, provider: string | undefined): Response | Promise<Response>;
  signedOut(c: Context, next: string | undefined): Response | Promise<Response>;
}

/** What signing in and out needs: providers, sessions, cookies and pages. */
export interface LoginOptions {
  readonly providers: readonly Provider[];
  readonly sessions: Sessions;
  readonly sessionCookie: Cookie;
  /** Carries the ID token from our own sign-out to the provider's; sealed, for a minute. */
  readonly farewellCookie: Cookie;
  readonly attempts: Attempts;
  readonly seal: Seal;
  readonly publicUrl: string;
  /** After which a session ends, however much it is used. */
  readonly absoluteSeconds: number;
  readonly pages: LoginPages;
  readonly verifyLogoutToken: (provider: Provider, token: string) => Promise<LogoutOrder>;
  /** Told of the sessions that have ended, so that what is cached for their owner goes too. */
  readonly onSignOut: (ended: readonly Session[], c: Context<Env>) => Promise<void>;
}

const farewellSeconds = 60;
const maxLogoutTokenLength = 16_384;

/** LOGIN and LOGOUT: `/login`, `/oauth/{provider}/redirect`, `/logout`, `/oauth/{provider}/backchannel-logout`. */
export function loginRoutes(options: LoginOptions): Hono<Env> {
  const { providers, sessions, sessionCookie, farewellCookie, attempts, seal, publicUrl, pages } = options;
  const app = new Hono<Env>();
  const providerNamed = (id: string | undefined): Provider | undefined =>
    providers.find(({ config }) => config.id === id);
  const redirectUri = (provider: Provider): string => `${publicUrl}/oauth/${provider.config.id}/redirect`;

  app.get("/login", async (c) => {
    const elsewhere = properAddress(c.req.url, publicUrl);
    if (elsewhere !== undefined) return c.redirect(elsewhere, 307);
    const returnTo = safeReturnTo(c.req.query("return_to"), publicUrl);
    const asked = c.req.query("provider");
    const provider = asked === undefined && providers.length === 1 ? providers[0] : providerNamed(asked);
    if (provider === undefined) return pages.choice(c, providers, returnTo);
    try {
      const claims = await claimsChallenge(c.req.query("step_up"), seal);
      const attempt = await attempts.begin(c, provider.config.id, returnTo);
      return c.redirect((await provider.authorizationUrl(attempt, redirectUri(provider), claims)).href, 303);
    } catch (error) {
      return pages.failure(c, LoginFailure.from(error, provider.config.label), provider.config.id);
    }
  });

  app.get("/oauth/:provider/redirect", async (c) => {
    const provider = providerNamed(c.req.param("provider"));
    if (provider === undefined) throw new HttpError(404, "not_found", "There is no such login provider here.");
    try {
      const attempt = await attempts.take(c, provider.config.id, c.req.query("state") ?? "");
      if (attempt === undefined) throw strangeAnswer();
      const login = await provider.complete(new URL(redirectUri(provider) + new URL(c.req.url).search), attempt);
      // A new id at every login: an id planted before, or left over, is worth nothing afterwards.
      const before = await c.var.session();
      if (before !== undefined) await sessions.end(before.id);
      noteSession(c, login);
      const { cookie } = await sessions.open(login, c.req.header("user-agent") ?? "");
      sessionCookie.write(c, cookie, options.absoluteSeconds);
      return c.redirect(attempt.returnTo, 303);
    } catch (error) {
      return pages.failure(c, LoginFailure.from(error, provider.config.label), provider.config.id);
    }
  });

  app.post("/logout", async (c) => {
    requireSameOrigin(c, publicUrl);
    const everywhere = (await formFields(c)).get("everywhere") === "1";
    const session = await c.var.session();
    sessionCookie.clear(c);
    if (session === undefined) return c.redirect("/signed-out", 303);
    const ended = everywhere ? await sessions.list(session.user) : [session];
    // First what signs out; then what tells others, which may fail without keeping anybody signed in.
    await (everywhere ? sessions.endAll(session.user) : sessions.end(session.id));
    await options.onSignOut(ended, c);
    await bidFarewell(c, session);
    return c.redirect("/signed-out", 303);
  });

  /** `form-action 'self'` forbids a form's redirect to leave for the provider, so that is a step of its own. */
  async function bidFarewell(c: Context, session: Session): Promise<void> {
    const full = await seal.seal({ provider: session.provider, idToken: session.tokens.id }, "farewell");
    const short = await seal.seal({ provider: session.provider }, "farewell");
    farewellCookie.write(c, full.length <= maxCookieValueBytes ? full : short, farewellSeconds);
  }

  app.get("/signed-out", (c) =>
    pages.signedOut(c, farewellCookie.read(c) === undefined ? undefined : "/logout/provider"),
  );

  app.get("/logout/provider", async (c) => {
    const sealed = farewellCookie.read(c);
    farewellCookie.clear(c);
    const farewell = (sealed && (await seal.open(sealed, "farewell"))) as
      | { readonly provider: string; readonly idToken?: string }
      | undefined;
    const provider = providerNamed(farewell?.provider);
    const url = await provider?.logoutUrl(farewell?.idToken, `${publicUrl}/`).catch(() => undefined);
    return c.redirect(url?.href ?? "/signed-out", 303);
  });

  app.post("/oauth/:provider/backchannel-logout", async (c) => {
    c.header("cache-control", "no-store");
    const provider = providerNamed(c.req.param("provider"));
    if (provider === undefined) throw new HttpError(404, "not_found", "There is no such login provider here.");
    const order = await orderFrom(provider, (await formFields(c)).get("logout_token"));
    const { issuer, subject, providerSession } = order;
    const ended = subject === undefined ? [] : await sessions.list({ issuer, subject });
    // With a sid only that session ends; without one, all of this person's.
    if (providerSession !== undefined) await sessions.endProviderSession(issuer, providerSession);
    else if (subject !== undefined) await sessions.endAll({ issuer, subject });
    await options.onSignOut(ended, c);
    await order.done();
    return c.body(null, 200);
  });

  async function orderFrom(provider: Provider, token: string | null): Promise<LogoutOrder> {
    try {
      if (token === null || token.length > maxLogoutTokenLength) throw new Error("no logout_token");
      return await options.verifyLogoutToken(provider, token);
    } catch (cause) {
      throw new HttpError(400, "invalid_request", "The logout token is missing or not valid for this client.", {
        cause,
      });
    }
  }

  return app;
}

/**
 * On this machine a browser may have come by another of its names (127.0.0.1 for localhost): the provider leads back to
 * the public one, where the cookies of this one would be missing. Elsewhere a proxy may have its own idea of the host.
 */
function properAddress(asked: string, publicUrl: string): string | undefined {
  const [url, proper] = [new URL(asked), new URL(publicUrl)];
  if (url.host === proper.host || url.port !== proper.port) return undefined;
  if (!isLoopback(url.hostname) || !isLoopback(proper.hostname)) return undefined;
  return proper.origin + url.pathname + url.search;
}

/** The challenge that a step-up must answer, sealed by us when it came up, so that no link can make one up. */
async function claimsChallenge(sealed: string | undefined, seal: Seal): Promise<string | undefined> {
  if (sealed === undefined) return undefined;
  const claims = await seal.open(sealed, "step-up");
  return typeof claims === "string" ? claims : undefined;
}

function strangeAnswer(): LoginFailure {
  return new LoginFailure(
    400,
    "login_unknown",
    "This sign-in was not started here",
    "It was begun in another browser, was already used, or took longer than ten minutes. Start again from here.",
  );
}
