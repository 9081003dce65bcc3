import { createHash } from "node:crypto";
import { maxQuestionLength } from "../api/schemas.ts";
import type { App } from "../apps/app.ts";
import type { Session } from "../session/session.ts";
import { page } from "./layout.ts";
import { type Child, h, type Tree } from "./tree.ts";

export interface AskPage {
  readonly session: Session;
  readonly isAdmin: boolean;
  /** Those that take signed-in people. */
  readonly apps: readonly App[];
  /** The same question for a shell, up to its body. */
  readonly curl: string;
}

/** The page on which one asks. The script fills in what happens after a question is sent. */
export function askPage(options: AskPage): string {
  const { session, isAdmin, apps, curl } = options;
  const chosen = apps.find(({ isDefault }) => isDefault) ?? apps[0];
  return page(
    { title: "Ask", path: "/", session, isAdmin },
    chosen === undefined
      ? nothingOpen(isAdmin)
      : h(
          "div",
          { class: "ask", "data-page": "ask", "data-curl": curl, "data-owner": personId(session) },
          h(
            "aside",
            { class: "conversations", "aria-label": "Conversations" },
            h("button", { type: "button", class: "second", id: "new-conversation" }, "New conversation"),
            h("ol", { id: "conversation-list" }),
          ),
          h(
            "div",
            { class: "talk" },
            h("h1", { id: "conversation-title", class: "visually-hidden", hidden: true }),
            welcome(options, chosen),
            withoutScript,
            h("div", { id: "turns" }),
            h("p", { id: "status", class: "visually-hidden", role: "status" }),
            composer(apps, chosen),
          ),
        ),
  );
}

const withoutScript = h(
  "noscript",
  {},
  h(
    "p",
    { class: "problem" },
    "Asking on this page needs JavaScript: allow it for this site, or ask ",
    h("a", { href: "/api/v1/docs" }, "by the API"),
    ".",
  ),
);

/** The same person finds what this tab keeps of their questions after signing in again; another one does not. */
function personId({ user: { issuer, subject } }: Session): string {
  return createHash("sha256")
    .update(JSON.stringify([issuer, subject]))
    .digest("base64url")
    .slice(0, 16);
}

function nothingOpen(isAdmin: boolean): Tree {
  const meaning = "An application says which data questions are about, and none is open to people who sign in.";
  const next = isAdmin
    ? " Make one, or open one to the signed-in page."
    : " Ask your administrator to open one, then come back to this page.";
  const way = isAdmin
    ? h("a", { class: "button", href: "/admin#apps" }, "To the applications")
    : h("a", { class: "button second", href: "/" }, "Look again");
  return h(
    "section",
    { class: "notice" },
    h("h1", {}, "No application is open to you"),
    h("p", { class: "lead" }, meaning, next),
    h("p", { class: "ways" }, way),
  );
}

function welcome({ session, apps }: AskPage, chosen: App): Tree {
  const name = session.user.name?.split(" ")[0] ?? session.user.subject;
  return h(
    "div",
    { id: "welcome", class: "welcome" },
    h("h1", {}, `What would you like to know, ${name}?`),
    h("p", { class: "quiet" }, "The answer comes from the graph. Below it you see who was asked, in whose name."),
    apps.map((app) => examples(app, app === chosen)),
  );
}

function examples({ id, examples: questions }: App, isShown: boolean): Child {
  if (questions.length === 0) return null;
  const example = (text: string): Tree =>
    h("li", {}, h("button", { type: "button", class: "chip", "data-example": text }, text));
  return h("ul", { class: "examples", "data-app": id, hidden: !isShown }, ...questions.map(example));
}

function composer(apps: readonly App[], chosen: App): Tree {
  return h(
    "form",
    { id: "composer", class: "composer" },
    h("label", { for: "question", class: "visually-hidden" }, "Your question"),
    h("textarea", {
      id: "question",
      name: "question",
      dir: "auto",
      rows: 1,
      // Not "maxlength": browsers cut what is pasted there, and say nothing.
      "data-longest": maxQuestionLength,
      required: true,
      placeholder: "Ask a question…",
      autocomplete: "off",
    }),
    h(
      "div",
      { class: "composer-row" },
      choice(apps, chosen),
      h("button", { type: "submit", id: "send" }, "Ask"),
      h("button", { type: "button", id: "stop", class: "second", hidden: true }, "Stop"),
    ),
  );
}

/** What the question is about goes with it always: the installation's default may be one that is closed. */
function choice(apps: readonly App[], chosen: App): Tree {
  if (apps.length === 1) {
    const named = h("input", { id: "app", name: "app", type: "hidden", value: chosen.id });
    return h("span", { class: "quiet" }, `About ${chosen.name}`, named);
  }
  const options = apps.map((app) => h("option", { value: app.id, selected: app === chosen }, app.name));
  return h("label", { class: "quiet" }, "About ", h("select", { id: "app", name: "app" }, ...options));
}
