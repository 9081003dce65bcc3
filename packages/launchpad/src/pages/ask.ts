import type { App } from "../apps/app.ts";
import type { Session } from "../session/session.ts";
import { page } from "./layout.ts";
import { h, type Tree } from "./tree.ts";

export interface AskPage {
  readonly session: Session;
  readonly isAdmin: boolean;
  /** Those that take signed-in people. */
  readonly apps: readonly App[];
  readonly publicUrl: string;
}

const examples = ["Who is Bob?", "Who works with Alice?", "Which projects are running?", "Who am I?"];

/** The page on which one asks. The script fills in what happens after a question is sent. */
export function askPage({ session, isAdmin, apps, publicUrl }: AskPage): string {
  const name = session.user.name?.split(" ")[0] ?? session.user.subject;
  return page(
    { title: "Ask", path: "/", session, isAdmin, script: true },
    h(
      "div",
      { class: "ask", "data-page": "ask", "data-public-url": publicUrl, "data-owner": session.id.slice(0, 12) },
      h(
        "aside",
        { class: "conversations", "aria-label": "Conversations" },
        h("button", { type: "button", class: "second", id: "new-conversation" }, "New conversation"),
        h("ol", { id: "conversation-list" }),
      ),
      h(
        "div",
        { class: "talk" },
        h(
          "div",
          { id: "welcome", class: "welcome" },
          h("h1", {}, `What would you like to know, ${name}?`),
          h("p", { class: "quiet" }, "The answer comes from the graph. Below it you see who was asked, in whose name."),
          h(
            "ul",
            { class: "examples" },
            ...examples.map((text) =>
              h("li", {}, h("button", { type: "button", class: "chip", "data-example": text }, text)),
            ),
          ),
        ),
        h("div", { id: "turns" }),
        h("p", { id: "status", class: "visually-hidden", role: "status" }),
        composer(apps),
      ),
    ),
  );
}

function composer(apps: readonly App[]): Tree {
  return h(
    "form",
    { id: "composer", class: "composer" },
    h("label", { for: "question", class: "visually-hidden" }, "Your question"),
    h("textarea", {
      id: "question",
      name: "question",
      rows: 1,
      maxlength: 8000,
      required: true,
      placeholder: "Ask a question…",
      autocomplete: "off",
    }),
    h(
      "div",
      { class: "composer-row" },
      apps.length > 1
        ? h(
            "label",
            { class: "quiet" },
            "About ",
            h(
              "select",
              { id: "app", name: "app" },
              ...apps.map(({ id, name, isDefault }) => h("option", { value: id, selected: isDefault }, name)),
            ),
          )
        : h(
            "span",
            { class: "quiet" },
            apps[0] === undefined ? "No application is open to you." : `About ${apps[0].name}`,
          ),
      h("button", { type: "submit", id: "send" }, "Ask"),
      h("button", { type: "button", id: "stop", class: "second", hidden: true }, "Stop"),
    ),
  );
}
