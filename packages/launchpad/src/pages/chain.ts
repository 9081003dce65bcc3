import type { TrailHop } from "@onbehalf/service-kit";
import { type Chain, chainOf, type Stop, type Ticket } from "./chain-model.ts";
import { type Child, h, type Tree } from "./tree.ts";
import { dollars, milliseconds, secondsLeft, shortIssuer } from "./words.ts";

const unknownWords =
  "Nothing is known about this request any more. What is known of one is kept for an hour at most, for who made it and for administrators; ask again to see a new one.";

/**
 * The picture of one request: who asked, each service it passed, and between two services the token that was carried
 * there. One line in the person's colour runs through all of it: everything was done on their behalf.
 * @param now seconds since the epoch
 */
export function chainTree(hops: readonly TrailHop[], now: number): Tree {
  const chain = chainOf(hops);
  const id = `chain-${hops[0]?.trace_id ?? "none"}-${hops[0]?.request_id.slice(0, 8) ?? ""}`;
  if (chain.stops.length === 0) return h("p", { class: "quiet" }, unknownWords);
  return h(
    "figure",
    { class: "chain", "aria-labelledby": `${id}-title` },
    h("figcaption", { id: `${id}-title` }, caption(chain, hops[0]?.trace_id ?? "")),
    h(
      "ol",
      { class: "chain-line" },
      person(chain),
      ...chain.stops.flatMap((stop, at) => [
        ticket(chain.tickets[at], now, stop.outcome === "denied"),
        station(stop, `${id}-${at}`, now),
      ]),
      ...model(chain),
    ),
  );
}

function caption({ person: who, stops, model: answered, totalMilliseconds }: Chain, traceId: string): Child {
  const name = who?.name ?? who?.subject ?? "somebody";
  const troubled = stops.find(({ outcome }) => outcome !== "ok");
  const last = stops.at(-1)?.title ?? "";
  const way = troubled === undefined ? (answered === null ? `to ${last} ` : "to the model and back ") : "";
  return [
    `This ${stops[0]?.service === "launchpad" ? "question" : "request"} travelled ${way}`,
    h("strong", { class: "behalf" }, `on behalf of ${name}`),
    troubled !== undefined && [` and ${troubleWords[troubled.outcome]} at `, h("strong", {}, troubled.title)],
    h("span", { class: "quiet" }, ` · ${milliseconds(totalMilliseconds)} · `),
    h("a", { class: "quiet", href: `/chain/${traceId}` }, `trace ${traceId.slice(0, 8)}`),
  ];
}

const troubleWords: Readonly<Record<Stop["outcome"], string>> = {
  ok: "came to its end",
  denied: "was refused",
  limited: "met a limit",
  error: "failed",
  aborted: "was stopped",
};

function person({ person: who }: Chain): Tree {
  const name = who?.name ?? who?.subject ?? "Somebody";
  return h(
    "li",
    { class: "stop person" },
    h("span", { class: "dot", "aria-hidden": "true" }, initials(name)),
    h("strong", { class: "stop-name" }, name),
    h("span", { class: "quiet" }, who === null ? "" : who.kind === "app" ? "application" : who.subject),
    who !== null && who.groups.length > 0 && h("span", { class: "chips" }, ...who.groups.slice(0, 4).map(chip)),
  );
}

function chip(text: string): Tree {
  return h("span", { class: "chip" }, text);
}

function initials(name: string): string {
  const words = name.split(/[\s.@_-]+/).filter((word) => word !== "");
  return words
    .slice(0, 2)
    .map((word) => [...word][0]?.toUpperCase() ?? "")
    .join("");
}

function ticket(carried: Ticket | undefined, now: number, refused: boolean): Tree {
  if (carried === undefined) return h("li", { class: "ticket" });
  const { title, audience, scopes, client, issuer, source, expiresAt } = carried;
  const state = source === null ? "kept" : source;
  return h(
    "li",
    { class: `ticket ${state}${refused ? " refused" : ""}` },
    h(
      "div",
      { class: "ticket-paper" },
      h(
        "span",
        { class: "ticket-title" },
        title,
        source !== null && h("span", { class: `source ${source}` }, sourceWords(carried)),
      ),
      h(
        "dl",
        {},
        fact("for", audience),
        fact("scope", shortList(scopes)),
        fact("client", client),
        fact("issuer", issuer === null ? null : shortIssuer(issuer)),
        expiresAt === null
          ? null
          : h("div", {}, h("dt", {}, "valid"), h("dd", { "data-expires": expiresAt }, secondsLeft(expiresAt - now))),
      ),
    ),
  );
}

function sourceWords({ source, milliseconds: ms }: Ticket): string {
  if (source === "cached") return "cached";
  return ms === null ? "fresh" : `fresh · ${milliseconds(ms)}`;
}

/** One fact of a ticket; its words never break in the middle. */
function fact(name: string, words: string | readonly string[] | null): Child {
  const kept = [words ?? []].flat().filter((word) => word !== "");
  if (kept.length === 0) return null;
  const spans = kept.map((word, at) => [at > 0 && " ", h("span", {}, word)]);
  return h("div", {}, h("dt", {}, name), h("dd", {}, ...spans));
}

const shownScopes = 3;
function shortList(words: readonly string[]): readonly string[] {
  const more = words.length - shownScopes;
  return more > 1 ? [...words.slice(0, shownScopes), `+${more}`] : words;
}

function station(stop: Stop, id: string, now: number): Tree {
  const { title, role, outcome, calls } = stop;
  return h(
    "li",
    { class: `stop service ${outcome}` },
    h("span", { class: "dot", "aria-hidden": "true" }, outcome === "ok" ? "✓" : outcome === "denied" ? "✕" : "!"),
    h(
      "button",
      { class: "stop-name", type: "button", popovertarget: id, "aria-label": `${title}: show claims` },
      title,
    ),
    h("span", { class: "quiet" }, outcome === "ok" ? role : outcomeWords(stop)),
    h("span", { class: "stop-figures" }, milliseconds(stop.milliseconds), calls > 1 ? ` · ${calls} calls` : null),
    claims(stop, id, now),
  );
}

function outcomeWords({ outcome, status, errorCode }: Stop): string {
  const words = { ok: "ok", denied: "refused", limited: "limit reached", error: "failed", aborted: "stopped" }[outcome];
  return `${words} · ${status}${errorCode === null ? "" : ` ${errorCode}`}`;
}

/** What the service saw, word by word. A popover: opened by its button, closed by Escape, without a script. */
function claims(stop: Stop, id: string, now: number): Tree {
  return h(
    "div",
    { class: "claims", id, popover: "auto", role: "dialog", "aria-label": `What ${stop.title} saw` },
    h(
      "header",
      {},
      h("h4", {}, `What ${stop.title} saw`),
      h(
        "button",
        { type: "button", class: "plain", popovertarget: id, popovertargetaction: "hide", "aria-label": "Close" },
        "✕",
      ),
    ),
    ...stop.hops.map((hop) => hopFacts(hop, now)),
    h("p", { class: "quiet" }, "Claims only: the token itself never leaves the services."),
  );
}

function hopFacts(hop: TrailHop, now: number): Tree {
  const { identity, exchange, detail } = hop;
  const { claims: seen, ...rest } = detail;
  return h(
    "section",
    {},
    h("p", { class: "route" }, h("code", {}, hop.route), ` → ${hop.status}, ${milliseconds(hop.duration_ms)}`),
    h("table", {}, h("tbody", {}, ...rows(typeof seen === "object" && seen !== null ? seen : (identity ?? {})))),
    exchange === null
      ? null
      : [
          h("h5", {}, "Then it exchanged the token for"),
          h(
            "table",
            {},
            h(
              "tbody",
              {},
              ...rows({
                ...exchange,
                valid: exchange.expires_at === null ? null : secondsLeft(exchange.expires_at - now),
              }),
            ),
          ),
        ],
    Object.keys(rest).length === 0 ? null : [h("h5", {}, "On record"), h("table", {}, h("tbody", {}, ...rows(rest)))],
  );
}

function rows(record: object): Tree[] {
  return Object.entries(record)
    .filter(([, value]) => value !== null && value !== undefined && value !== "")
    .map(([name, value]) => h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, valueText(name, value))));
}

const times = new Set(["exp", "iat", "nbf", "auth_time", "expires_at"]);

function valueText(name: string, value: unknown): string {
  if (times.has(name) && typeof value === "number") {
    return `${value} (${new Date(value * 1000).toISOString().slice(11, 19)} UTC)`;
  }
  if (typeof value === "string") return value;
  if (Array.isArray(value) && value.every((one) => typeof one !== "object"))
    return value.length === 0 ? "none" : value.join(", ");
  // With spaces, so that long ones break between two members and never inside a word.
  return JSON.stringify(value, null, 1).replaceAll(/\n */g, " ");
}

function model({ model: answered, stops }: Chain): Tree[] {
  if (answered === null) return [];
  const figures = [
    answered.tokens === null ? null : `${answered.tokens.toLocaleString("en")} tokens`,
    answered.usd === null ? null : dollars(answered.usd),
  ].filter((text) => text !== null);
  return [
    h(
      "li",
      { class: "stop model" },
      h("span", { class: "dot", "aria-hidden": "true" }, "✦"),
      h("strong", { class: "stop-name" }, "Bedrock"),
      h("span", { class: "quiet" }, answered.name),
      h("span", { class: "quiet" }, `signed call, for user ${stops.at(-1)?.identity?.subject ?? "—"}`),
      figures.length > 0 && h("span", { class: "stop-figures" }, figures.join(" · ")),
    ),
  ];
}
