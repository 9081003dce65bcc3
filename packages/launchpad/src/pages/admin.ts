import type { Asked } from "../api/asked.ts";
import type { Check, Connection, Denial, UsageBy, UsageLine } from "../api/below.ts";
import type { NewKey } from "../apps/handover.ts";
import type { AppManagement } from "../apps/manage.ts";
import type { Session } from "../session/session.ts";
import { appCards } from "./admin-apps.ts";
import type { RefusedForm } from "./admin-forms.ts";
import { lastDays, usageOver } from "./charts.ts";
import { page } from "./layout.ts";
import { type Child, h, type Tree } from "./tree.ts";
import { milliseconds } from "./words.ts";

export interface AdminPage {
  readonly session: Session;
  readonly apps: Awaited<ReturnType<AppManagement["list"]>>;
  /** What an application may be set up with. */
  readonly connections: Asked<readonly Connection[]>;
  readonly usage: Asked<Readonly<Record<UsageBy, readonly UsageLine[]>>>;
  readonly denials: Asked<readonly Denial[]>;
  readonly health: readonly Check[];
  /** A key that was just made: shown here, and never again; `gone` when it has been shown already. */
  readonly newKey?: NewKey | "gone" | undefined;
  /** Id of the application that stands unfolded. */
  readonly open?: string | undefined;
  readonly refused?: RefusedForm | undefined;
  readonly nowMs: number;
}

export const usageDays = 14;

/** Applications and keys, usage, denials, and how the chain is. */
export function adminPage(options: AdminPage): string {
  const { session, health, denials, refused } = options;
  return page(
    { title: refused === undefined ? "Admin" : "Not saved", path: "/admin", session, isAdmin: true },
    h(
      "section",
      { class: "wide" },
      h("h1", {}, "Admin"),
      refused !== undefined && h("p", { class: "problem", role: "alert" }, refused.problem),
      h("div", { class: "cards" }, healthCard(health), ...appCards(options), usageCard(options), denialsCard(denials)),
    ),
  );
}

/** The gateway's rule in words, with its name for who looks it up in the configuration. */
function denialWords(status: number, code: string): string {
  const words: Readonly<Record<string, string>> = {
    "access.groups": "none of their groups may do this",
    allowed_routes: "this route is open to other groups",
  };
  const known = words[code];
  return known === undefined ? `${status} ${code}` : `${known} (${status} ${code})`;
}

function full(title: string, ...content: readonly Child[]): Tree {
  return h("section", { class: "card full" }, h("h2", {}, title), ...content);
}

function healthCard(checks: readonly Check[]): Tree {
  const isWell = checks.every(({ status }) => status === "ok");
  return full(
    isWell ? "The chain is well" : "The chain has a problem",
    h(
      "ul",
      { class: "lamps" },
      ...checks.map(({ name, status, reason, milliseconds: ms }) =>
        h(
          "li",
          { class: status },
          h("span", { class: "lamp", "aria-hidden": "true" }),
          h(
            "span",
            {},
            h("strong", {}, checkNames[name] ?? name),
            " ",
            h("span", { class: "quiet" }, status === "ok" ? "ok" : "down", ms !== null && ` · ${milliseconds(ms)}`),
          ),
          reason !== null && h("span", { class: "reason" }, reason),
        ),
      ),
    ),
  );
}

/** What the services below call their parts. */
const checkNames: Readonly<Record<string, string>> = {
  voicebox: "Voicebox",
  keys: "Keys at Voicebox",
  exchange: "Exchange for the gateway",
  gateway: "Gateway",
  bedrock: "Bedrock",
};

function usageCard({ usage, nowMs }: AdminPage): Tree {
  const title = `Usage, last ${usageDays} days`;
  if ("problem" in usage) return full(title, h("p", { class: "quiet" }, usage.problem));
  const { user, team, model, app } = usage.value;
  const days = lastDays(nowMs, usageDays);
  return full(
    title,
    h(
      "div",
      { class: "rankings" },
      usageOver(days, "By user", user),
      usageOver(days, "By model", model),
      usageOver(days, "By application", app),
      usageOver(days, "By team", team),
    ),
  );
}

function denialsCard(denials: Asked<readonly Denial[]>): Tree {
  if ("problem" in denials) return full("Denials", h("p", { class: "quiet" }, denials.problem));
  if (denials.value.length === 0) return full("Denials", h("p", { class: "quiet" }, "Nobody was refused lately."));
  const head = ["When", "Who", "Route", "Model", "Why", "Chain"];
  return full(
    "Denials",
    h(
      "div",
      { class: "table stacked", tabindex: 0, role: "region", "aria-label": "Denials" },
      h(
        "table",
        {},
        h("thead", {}, h("tr", {}, ...head.map((name) => h("th", { scope: "col" }, name)))),
        h(
          "tbody",
          {},
          ...denials.value.map(({ at, user, route, model, status, code, traceId }) =>
            h(
              "tr",
              {},
              h("td", { class: "when", "data-label": "When" }, at.slice(0, 19).replace("T", " ")),
              h("td", { "data-label": "Who" }, user),
              h("td", { "data-label": "Route" }, route),
              h("td", { "data-label": "Model" }, model),
              h("td", { "data-label": "Why" }, denialWords(status, code)),
              h("td", { "data-label": "Chain" }, h("a", { href: `/chain/${traceId}` }, "show")),
            ),
          ),
        ),
      ),
    ),
  );
}
