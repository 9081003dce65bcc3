import type { ProviderConfig } from "../providers-config.ts";
import { page } from "./layout.ts";
import { h, type Tree } from "./tree.ts";

/** The front page of somebody who is not signed in: what this is, and the way in. */
export function signInPage(providers: readonly Pick<ProviderConfig, "id" | "label">[], returnTo: string): string {
  return page(
    { title: "Sign in", path: "/login" },
    h(
      "section",
      { class: "hero" },
      h("h1", {}, "Ask your data. See your name travel."),
      h(
        "p",
        { class: "lead" },
        "Every service between you and the model works on your behalf, with a token that is good for that one step only.",
      ),
      h(
        "div",
        { class: "ways" },
        ...providers.map(({ id, label }, at) =>
          h(
            "a",
            {
              class: at === 0 ? "button" : "button second",
              href: `/login?${new URLSearchParams({ provider: id, return_to: returnTo })}`,
            },
            `Sign in with ${label}`,
          ),
        ),
      ),
    ),
    preview(),
  );
}

/** The chain in small, as words: what one will see under each answer. */
function preview(): Tree {
  const steps: readonly (readonly [name: string, text: string])[] = [
    ["You", "sign in once"],
    ["Launchpad", "exchanges your token for one that opens Voicebox only"],
    ["Voicebox", "exchanges it for one that opens the gateway only"],
    ["Gateway", "knows it is you: your groups, your limits, your record"],
    ["Bedrock", "answers, with your name on the call"],
  ];
  return h(
    "ol",
    { class: "preview", "aria-label": "How your identity travels" },
    ...steps.map(([name, text]) => h("li", {}, h("strong", {}, name), h("span", {}, text))),
  );
}
