import { type Context, Hono } from "hono";
import { notAdmin } from "../api/apps.ts";
import { asked } from "../api/asked.ts";
import type { Below, Check } from "../api/below.ts";
import type { CheckConnection } from "../api/connections.ts";
import type { ApiEnv } from "../api/credentials.ts";
import type { Handover, NewKey } from "../apps/handover.ts";
import { type AppManagement, keyRequest } from "../apps/manage.ts";
import type { ProviderConfig } from "../providers-config.ts";
import { requireSameOrigin, requireSession } from "../session/browser.ts";
import { formFields } from "../session/form.ts";
import type { Session } from "../session/session.ts";
import { adminPage, usageDays } from "./admin.ts";
import { appFromForm, keyFromForm, type RefusedForm, wrongForm } from "./admin-forms.ts";
import { signInPage } from "./sign-in.ts";

type C = Context<ApiEnv>;

export interface AdminRouteOptions {
  readonly management: AppManagement;
  readonly checkConnection: CheckConnection;
  /** Where a new key waits for the page that shows it. */
  readonly handover: Handover;
  readonly below: Below;
  /** This service's own part of the chain's health. */
  readonly ownChecks: () => Promise<readonly Check[]>;
  readonly publicUrl: string;
  /** For the sign-in that leads here. */
  readonly providers: readonly Pick<ProviderConfig, "id" | "label">[];
  readonly isAdmin: (user: Pick<Session["user"], "issuer" | "groups">) => boolean;
  readonly now?: () => number;
}

const dayMs = 86_400_000;

/** The administrators' page and its forms. */
export function adminRoutes(options: AdminRouteOptions): Hono<ApiEnv> {
  const { management, checkConnection, handover, below, publicUrl, now = Date.now } = options;
  const app = new Hono<ApiEnv>();

  async function administrator(c: C): Promise<Session> {
    const session = await requireSession(c);
    if (!options.isAdmin(session.user)) throw notAdmin();
    if (c.req.method !== "GET") requireSameOrigin(c, publicUrl);
    return session;
  }

  async function show(
    c: C,
    session: Session,
    more: { newKey?: NewKey | "gone" | undefined; refused?: RefusedForm } = {},
  ): Promise<Response> {
    const from = Math.floor(now() / dayMs) * dayMs - (usageDays - 1) * dayMs;
    const [apps, connections, usage, denials, health] = await Promise.all([
      management.list(),
      asked(() => below.connections(c)),
      asked(() => below.usage(c, from)),
      asked(() => below.denials(c, from)),
      healthOf(c),
    ]);
    const open = c.req.query("app");
    const html = adminPage({ session, apps, connections, usage, denials, health, open, nowMs: now(), ...more });
    return c.html(html, more.refused === undefined ? 200 : 400, { "cache-control": "no-store" });
  }

  async function healthOf(c: C): Promise<readonly Check[]> {
    const [own, rest] = await Promise.all([options.ownChecks(), asked(() => below.health(c))]);
    if ("value" in rest) return [...own, ...rest.value];
    return [...own, { name: "Voicebox and below", status: "down", reason: rest.problem, milliseconds: null }];
  }

  app.get("/admin", async (c) => {
    if ((await c.var.session()) === undefined) return c.html(signInPage(options.providers, "/admin"));
    const session = await administrator(c);
    return show(c, session, { newKey: await newKeyFor(c, session) });
  });

  /** A key that a form has just left for this page; only looking at the page takes it. */
  async function newKeyFor(c: C, session: Session): Promise<NewKey | "gone" | undefined> {
    const id = c.req.query("made");
    if (id === undefined || c.req.raw.method === "HEAD") return undefined;
    return (await handover.take(session.id, id)) ?? "gone";
  }

  /** The list, with the application unfolded. Always by a redirect: loading it again must not do the work again. */
  function listAfter(c: C, query: Readonly<Record<string, string>>): Response {
    const search = new URLSearchParams(query).toString();
    return c.redirect(`/admin${search === "" ? "" : `?${search}`}#apps`, 303);
  }

  /** A form's work, then the list again; a form that is refused comes back as it was filled in. */
  const form = (
    path: string,
    work: (c: C, fields: URLSearchParams, by: string) => Promise<NewKey | string | undefined>,
  ): void => {
    app.post(path, async (c) => {
      const session = await administrator(c);
      const fields = await formFields(c);
      try {
        const made = await work(c, fields, `${session.user.issuer} ${session.user.subject}`);
        if (typeof made === "object")
          return listAfter(c, { app: made.appId, made: await handover.leave(session.id, made) });
        return listAfter(c, made === undefined ? {} : { app: made });
      } catch (error) {
        return show(c, session, { refused: { path: c.req.path, fields, problem: wrongForm(error) } });
      }
    });
  };
  const param = (c: C, name: string): string => c.req.param(name) ?? "";

  form("/admin/apps", async (c, fields, by) => {
    const settings = appFromForm(fields);
    await checkConnection(c, settings.connection);
    return (await management.create(settings, by)).id;
  });
  form("/admin/apps/:id", async (c, fields) => {
    const settings = appFromForm(fields);
    await checkConnection(c, settings.connection, param(c, "id"));
    await management.update(param(c, "id"), settings);
    return undefined;
  });
  form("/admin/apps/:id/delete", async (c) => {
    await management.remove(param(c, "id"));
    return undefined;
  });
  form("/admin/apps/:id/keys", async (c, fields, by) => {
    const made = await management.createKey(param(c, "id"), keyFromForm(fields, now()), by);
    return { appId: made.app_id, name: made.name, key: made.key };
  });
  form("/admin/apps/:id/keys/:key/rotate", async (c, _fields, by) => {
    const all = await management.list();
    const old = all.flatMap(({ keys }) => keys).find(({ id }) => id === param(c, "key"));
    const request = keyRequest.parse({ name: old?.name ?? "key", replaces: param(c, "key") });
    const made = await management.createKey(param(c, "id"), request, by);
    return { appId: made.app_id, name: made.name, key: made.key };
  });
  form("/admin/apps/:id/keys/:key/disable", async (c) => {
    await management.setKeyDisabled(param(c, "id"), param(c, "key"), true);
    return undefined;
  });
  form("/admin/apps/:id/keys/:key/enable", async (c) => {
    await management.setKeyDisabled(param(c, "id"), param(c, "key"), false);
    return undefined;
  });
  form("/admin/apps/:id/keys/:key/delete", async (c) => {
    await management.removeKey(param(c, "id"), param(c, "key"));
    return undefined;
  });
  return app;
}
