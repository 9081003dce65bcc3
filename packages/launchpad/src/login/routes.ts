import { HttpError } from "@onbehalf/service-kit";
import { isLoopback } from "@onbehalf/shared-auth";
import { type Context, Hono } from "hono";
import { noteSession } from "../session/browser.ts";
import type { Seal } from "../session/seal.ts";
import type { Attempts } from "./attempt.ts";
import { LoginFailure } from "./failure.ts";
import { addBackchannelLogout, addLogout, type Env, type LogoutOptions } from "./logout.ts";
import { type Provider, providerNamed } from "./provider.ts";
import { safeReturnTo } from "./return-to.ts";

/** The pages that login and logout show; they know nothing of the rest. */
export interface LoginPages {
  choice(c: Context, providers: readonly Provider[], returnTo: string): Response | Promise<Response>;
  failure(c: Context, failure: LoginFailure, provider: string | undefined): Response | Promise<Response>;
  signedOut(c: Context, next: string | undefined): Response | Promise<Response>;
}

/** What signing in and out needs: providers, sessions, cookies and pages. */
export interface LoginOptions extends LogoutOptions {
  readonly attempts: Attempts;
  /** After which a session ends, however much it is used. */
  readonly absoluteSeconds: number;
  readonly pages: LoginPages;
}

/** LOGIN and LOGOUT: `/login`, `/oauth/{provider}/redirect`, `/logout`, `/oauth/{provider}/backchannel-logout`. */
export function loginRoutes(options: LoginOptions): Hono<Env> {
  const app = new Hono<Env>();
  addLogin(app, options);
  addLogout(app, options);
  addBackchannelLogout(app, options);
  return app;
}

function addLogin(app: Hono<Env>, options: LoginOptions): void {
  const { providers, sessions, sessionCookie, attempts, seal, publicUrl, pages } = options;
  const redirectUri = (provider: Provider): string => `${publicUrl}/oauth/${provider.config.id}/redirect`;

  app.get("/login", async (c) => {
    const elsewhere = properAddress(c.req.url, publicUrl);
    if (elsewhere !== undefined) return c.redirect(elsewhere, 307);
    const returnTo = safeReturnTo(c.req.query("return_to"), publicUrl);
    const asked = c.req.query("provider");
    const provider = asked === undefined && providers.length === 1 ? providers[0] : providerNamed(providers, asked);
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
    const provider = providerNamed(providers, c.req.param("provider"));
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
