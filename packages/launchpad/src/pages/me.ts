import type { TrailIdentity } from "@onbehalf/service-kit";
import { z } from "zod";
import type { MeBelow } from "../api/below.ts";
import { shortId } from "../api/session.ts";
import type { Session } from "../session/session.ts";
import { visibleClaims } from "../trail.ts";
import { page } from "./layout.ts";
import { type Child, h, type Tree } from "./tree.ts";
import { browserName, secondsLeft, timeText } from "./words.ts";

export interface MePage {
  readonly session: Session;
  readonly isAdmin: boolean;
  readonly sessions: readonly Session[];
  readonly endsAt: (session: Session) => number;
  /** Undefined with the reason when the services below could not be asked. */
  readonly below: MeBelow | { readonly problem: string };
  readonly now: number;
}

/** Who one is, as every service sees it; what one may use; and where one is signed in. */
export function mePage(options: MePage): string {
  const { session, isAdmin, below } = options;
  const known = "problem" in below ? undefined : below;
  return page(
    { title: "Me", path: "/me", session, isAdmin },
    h(
      "section",
      { class: "wide" },
      h("h1", {}, session.user.name ?? session.user.subject),
      h("p", { class: "quiet" }, "One person, the same at every service; each gets a token of its own."),
      "problem" in below && h("p", { class: "problem", role: "alert" }, below.problem),
      h(
        "div",
        { class: "cards" },
        identities(session, known, options.now),
        rights(session, known),
        models(known),
        limits(known),
        sessions(options),
      ),
    ),
  );
}

function card(title: string, ...content: readonly Child[]): Tree {
  return h("section", { class: "card" }, h("h2", {}, title), ...content);
}

/** Three columns, one per service: what is the same and what is not shows at a glance. */
function identities(session: Session, below: MeBelow | undefined, now: number): Tree {
  const { user } = session;
  const gateway: Partial<TrailIdentity> | undefined = below?.exchange
    ? {
        issuer: below.exchange.issuer,
        subject: user.subject,
        audience: [below.exchange.audience ?? ""],
        scopes: below.exchange.scopes,
        client_id: below.exchange.client_id,
        expires_at: below.exchange.expires_at,
      }
    : undefined;
  const launchpad: Partial<TrailIdentity> = {
    issuer: user.issuer,
    subject: user.subject,
    audience: ["launchpad"],
    scopes: session.tokens.scopes,
    client_id: String(visibleClaims(session.claims).aud ?? ""),
    expires_at: session.tokens.accessExpiresAt,
  };
  const columns: readonly (readonly [name: string, seen: Partial<TrailIdentity> | undefined])[] = [
    ["Launchpad", launchpad],
    ["Voicebox", below?.identity ?? undefined],
    ["Gateway", gateway],
  ];
  const row = (name: string, of: (seen: Partial<TrailIdentity>) => Child): Tree =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, name),
      ...columns.map(([, seen]) => h("td", {}, seen === undefined ? "—" : of(seen))),
    );
  return h(
    "section",
    { class: "card full" },
    h("h2", {}, "As each service sees me"),
    h(
      "div",
      { class: "table", tabindex: 0, role: "region", "aria-label": "My identity at each service" },
      h(
        "table",
        {},
        h("thead", {}, h("tr", {}, h("td"), ...columns.map(([name]) => h("th", { scope: "col" }, name)))),
        h(
          "tbody",
          {},
          row("subject", ({ subject }) => h("strong", {}, subject)),
          row("issuer", ({ issuer }) => issuer),
          row("audience", ({ audience }) => audience?.join(", ")),
          row("scopes", ({ scopes }) => scopes?.join(" ")),
          row("client", ({ client_id }) => client_id),
          row("token valid", ({ expires_at }) =>
            expires_at == null ? "—" : h("span", { "data-expires": expires_at }, secondsLeft(expires_at - now)),
          ),
        ),
      ),
    ),
  );
}

function rights({ user }: Session, below: MeBelow | undefined): Tree {
  const groups = below?.identity?.groups ?? user.groups;
  return card(
    "My groups",
    groups.length === 0
      ? h("p", { class: "quiet" }, "None. The gateway decides by groups; ask your administrator for one.")
      : h("p", { class: "chips start" }, ...groups.map((group) => h("span", { class: "chip" }, group))),
  );
}

function models(below: MeBelow | undefined): Tree {
  return card(
    "Models I may use",
    below === undefined || below.models.length === 0
      ? h("p", { class: "quiet" }, below === undefined ? "Not known at the moment." : "None with my groups.")
      : h("p", { class: "chips start" }, ...below.models.map((model) => h("span", { class: "chip" }, model))),
  );
}

const limitWords: Readonly<Record<string, (value: string) => readonly [name: string, value: string]>> = {
  spend: (value) => ["spent", `$${Number(value).toFixed(4)}`],
  max_budget: (value) => ["budget", `$${number(value)}`],
  budget_duration: (value) => ["budget is for a", value],
  rpm_limit: (value) => ["requests per minute", number(value)],
  tpm_limit: (value) => ["tokens per minute", number(value)],
  max_parallel_requests: (value) => ["requests at once", number(value)],
};

/** What the gateway says it allows and has counted, in words. */
function limits(below: MeBelow | undefined): Tree {
  const told = userInfo.safeParse(below?.gateway);
  const facts = Object.entries(told.success ? told.data.user_info : {});
  const rows = facts.flatMap(([name, value]) => {
    const words = limitWords[name];
    return words === undefined || value === null || value === undefined ? [] : [words(String(value))];
  });
  return card(
    "My limits and spending",
    rows.length === 0
      ? h("p", { class: "quiet" }, "The gateway names no limits for me.")
      : h("dl", { class: "facts" }, ...rows.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])),
  );
}

const userInfo = z.object({ user_info: z.record(z.string(), z.unknown()) });

function number(text: string): string {
  return Number(text).toLocaleString("en");
}

function sessions({ session, sessions: all, endsAt, now }: MePage): Tree {
  return h(
    "section",
    { class: "card full" },
    h("h2", {}, "Where I am signed in"),
    h(
      "ul",
      { class: "rows" },
      ...all.map((one) =>
        h(
          "li",
          {},
          h(
            "span",
            {},
            h("strong", {}, browserName(one.userAgent)),
            one.id === session.id && h("span", { class: "chip" }, "this one"),
          ),
          h("span", { class: "quiet" }, `since ${timeText(one.createdAt)}, ends in ${secondsLeft(endsAt(one) - now)}`),
          one.id !== session.id &&
            h(
              "form",
              { method: "post", action: `/me/sessions/${shortId(one)}/end` },
              h("button", { class: "danger", type: "submit" }, "End this one"),
            ),
        ),
      ),
    ),
    h(
      "form",
      { method: "post", action: "/logout" },
      h("input", { type: "hidden", name: "everywhere", value: "1" }),
      h("button", { class: "second", type: "submit" }, "Sign out everywhere"),
    ),
  );
}
