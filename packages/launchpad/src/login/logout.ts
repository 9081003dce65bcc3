import { HttpError, type RequestVariables } from "@onbehalf/service-kit";
import type { Context, Hono } from "hono";
import { requireSameOrigin, type SessionVariables } from "../session/browser.ts";
import { type Cookie, maxCookieValueBytes } from "../session/cookie.ts";
import { formFields } from "../session/form.ts";
import type { Seal } from "../session/seal.ts";
import type { Session } from "../session/session.ts";
import type { Sessions } from "../session/sessions.ts";
import type { LogoutOrder } from "./logout-token.ts";
import { type Provider, providerNamed } from "./provider.ts";

/** What a request carries when it comes to login and logout. */
export type Env = { Variables: RequestVariables & SessionVariables };

/** What signing out needs, here and at the provider. */
export interface LogoutOptions {
  readonly providers: readonly Provider[];
  readonly sessions: Sessions;
  readonly sessionCookie: Cookie;
  /** Carries the ID token from our own sign-out to the provider's; sealed, for a minute. */
  readonly farewellCookie: Cookie;
  readonly seal: Seal;
  readonly publicUrl: string;
  readonly pages: { signedOut(c: Context, next: string | undefined): Response | Promise<Response> };
  readonly verifyLogoutToken: (provider: Provider, token: string) => Promise<LogoutOrder>;
  /** Told of the sessions that have ended, so that what is cached for their owner goes too. */
  readonly onSignOut: (ended: readonly Session[], c: Context<Env>) => Promise<void>;
}

const farewellSeconds = 60;
const maxLogoutTokenLength = 16_384;

/** Our own sign-out, and the way to the provider's after it. */
export function addLogout(app: Hono<Env>, options: LogoutOptions): void {
  const { providers, sessions, sessionCookie, farewellCookie, seal, publicUrl, pages } = options;

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
    await bidFarewell(c, session, options);
    return c.redirect("/signed-out", 303);
  });

  app.get("/signed-out", (c) =>
    pages.signedOut(c, farewellCookie.read(c) === undefined ? undefined : "/logout/provider"),
  );

  app.get("/logout/provider", async (c) => {
    const sealed = farewellCookie.read(c);
    farewellCookie.clear(c);
    const farewell = (sealed && (await seal.open(sealed, "farewell"))) as
      | { readonly provider: string; readonly idToken?: string }
      | undefined;
    const provider = providerNamed(providers, farewell?.provider);
    const url = await provider?.logoutUrl(farewell?.idToken, `${publicUrl}/`).catch(() => undefined);
    return c.redirect(url?.href ?? "/signed-out", 303);
  });
}

/** `form-action 'self'` forbids a form's redirect to leave for the provider, so that is a step of its own. */
async function bidFarewell(c: Context, session: Session, { seal, farewellCookie }: LogoutOptions): Promise<void> {
  const full = await seal.seal({ provider: session.provider, idToken: session.tokens.id }, "farewell");
  const short = await seal.seal({ provider: session.provider }, "farewell");
  farewellCookie.write(c, full.length <= maxCookieValueBytes ? full : short, farewellSeconds);
}

/** The provider's sign-out, told to us by itself (OpenID Connect Back-Channel Logout 1.0). */
export function addBackchannelLogout(app: Hono<Env>, options: LogoutOptions): void {
  const { providers, sessions } = options;

  app.post("/oauth/:provider/backchannel-logout", async (c) => {
    c.header("cache-control", "no-store");
    const provider = providerNamed(providers, c.req.param("provider"));
    if (provider === undefined) throw new HttpError(404, "not_found", "There is no such login provider here.");
    const order = await orderFrom(options, provider, (await formFields(c)).get("logout_token"));
    const { issuer, subject, providerSession } = order;
    const ended = subject === undefined ? [] : await sessions.list({ issuer, subject });
    // With a sid only that session ends; without one, all of this person's.
    if (providerSession !== undefined) await sessions.endProviderSession(issuer, providerSession);
    else if (subject !== undefined) await sessions.endAll({ issuer, subject });
    await options.onSignOut(ended, c);
    await order.done();
    return c.body(null, 200);
  });
}

async function orderFrom(
  { verifyLogoutToken }: LogoutOptions,
  provider: Provider,
  token: string | null,
): Promise<LogoutOrder> {
  try {
    if (token === null || token.length > maxLogoutTokenLength) throw new Error("no logout_token");
    return await verifyLogoutToken(provider, token);
  } catch (cause) {
    throw new HttpError(400, "invalid_request", "The logout token is missing or not valid for this client.", {
      cause,
    });
  }
}
