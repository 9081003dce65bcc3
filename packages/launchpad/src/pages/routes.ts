import type { TrailHop } from "@onbehalf/service-kit";
import { type Context, Hono } from "hono";
import { asked } from "../api/asked.ts";
import type { Below } from "../api/below.ts";
import type { ApiEnv } from "../api/credentials.ts";
import { endOwnSession } from "../api/session.ts";
import { appRefusal } from "../apps/app.ts";
import type { AppRegistry } from "../apps/registry.ts";
import type { Provider } from "../login/provider.ts";
import { requireSameOrigin, requireSession } from "../session/browser.ts";
import type { Session } from "../session/session.ts";
import type { Sessions } from "../session/sessions.ts";
import { askPage } from "./ask.ts";
import { chainTree } from "./chain.ts";
import { chainPage } from "./chain-page.ts";
import { askOnBehalf, type CredentialCommands } from "./curl.ts";
import { mePage } from "./me.ts";
import { signInPage } from "./sign-in.ts";

export interface PageOptions {
  readonly providers: readonly Provider[];
  readonly registry: AppRegistry;
  readonly publicUrl: string;
  readonly commands: CredentialCommands;
  readonly isAdmin: (user: Pick<Session["user"], "issuer" | "groups">) => boolean;
  readonly sessions: Sessions;
  readonly below: Below;
  /** The hops of a trace that the caller of this request may see. */
  readonly hopsOf: (c: Context<ApiEnv>, traceId: string) => Promise<readonly TrailHop[]>;
  readonly now?: () => number;
}

/** The pages. Without a session they lead to the sign-in and back. */
export function pageRoutes(options: PageOptions): Hono<ApiEnv> {
  const { providers, registry, publicUrl, now = Date.now } = options;
  const app = new Hono<ApiEnv>();
  const curl = askOnBehalf(publicUrl, options.commands);
  const labels = providers.map(({ config }) => config);

  /** Shows the page, or the sign-in that comes back to it; the way back after signing out asks for it anew. */
  const signedIn = (show: (c: Context<ApiEnv>, session: Session, isAdmin: boolean) => Promise<Response>) => {
    return async (c: Context<ApiEnv>): Promise<Response> => {
      const session = await c.var.session();
      c.header("cache-control", "no-store");
      if (session !== undefined) return show(c, session, options.isAdmin(session.user));
      const { pathname, search } = new URL(c.req.url);
      return c.html(signInPage(labels, pathname + search));
    };
  };

  app.get(
    "/",
    signedIn(async (c, session, isAdmin) => {
      const apps = (await registry.list()).filter((found) => appRefusal(found, "session", now()) === undefined);
      return c.html(askPage({ session, isAdmin, apps, curl }));
    }),
  );

  app.get(
    "/chain/:traceId",
    signedIn(async (c, session, isAdmin) => {
      const traceId = c.req.param("traceId") ?? "";
      return c.html(chainPage(session, isAdmin, await options.hopsOf(c, traceId), traceId, now() / 1000));
    }),
  );

  app.get(
    "/me",
    signedIn(async (c, session, isAdmin) => {
      const [mine, below] = await Promise.all([options.sessions.list(session.user), asked(() => options.below.me(c))]);
      const endsAt = options.sessions.endsAt;
      const known = "value" in below ? below.value : below;
      return c.html(mePage({ session, isAdmin, sessions: mine, endsAt, below: known, now: now() / 1000 }));
    }),
  );

  app.post("/me/sessions/:id/end", async (c) => {
    requireSameOrigin(c, publicUrl);
    await endOwnSession(options.sessions, await requireSession(c), c.req.param("id"));
    return c.redirect("/me", 303);
  });

  app.get("/page/chain/:traceId", async (c) => {
    const hops = await options.hopsOf(c, c.req.param("traceId"));
    return c.json(chainTree(hops, now() / 1000), 200, { "cache-control": "no-store" });
  });

  return app;
}
