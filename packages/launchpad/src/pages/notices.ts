import type { LoginFailure } from "../login/failure.ts";
import type { Session } from "../session/session.ts";
import { page } from "./layout.ts";
import { h } from "./tree.ts";

/** A login that failed: what happened, and what to do. */
export function loginFailurePage(failure: LoginFailure, provider: string | undefined, requestId: string): string {
  const again = provider === undefined ? "/login" : `/login?${new URLSearchParams({ provider })}`;
  return page(
    { title: failure.title, path: "/login" },
    h(
      "section",
      { class: "notice", role: "alert" },
      h("h1", {}, failure.title),
      h("p", { class: "lead" }, failure.message),
      h("p", { class: "ways" }, h("a", { class: "button", href: again }, "Sign in again")),
      h("p", { class: "quiet" }, `Code ${failure.code}, request ${requestId}`),
    ),
  );
}

/** After signing out here; goes on to the provider's own sign-out when `next` is given. */
export function signedOutPage(next: string | undefined): string {
  return page(
    { title: "Signed out", path: "/signed-out", refresh: next === undefined ? undefined : { seconds: 0, path: next } },
    h(
      "section",
      { class: "notice" },
      h("h1", {}, "You are signed out"),
      next === undefined
        ? h("p", { class: "lead" }, "Your session here is over. A copy of its cookie is worth nothing now.")
        : h(
            "p",
            { class: "lead" },
            "Your session here is over. ",
            h("a", { href: next }, "Signing out at your provider too…"),
          ),
      h("p", { class: "ways" }, h("a", { class: "button", href: "/" }, "Sign in")),
    ),
  );
}

/** What is told where a page cannot be shown. */
export interface Problem {
  readonly title: string;
  readonly message: string;
  readonly requestId: string;
  readonly session: Session | undefined;
  readonly isAdmin: boolean;
}

/** Any other page that cannot be shown. */
export function problemPage({ title, message, requestId, session, isAdmin }: Problem): string {
  return page(
    { title, path: "", session, isAdmin },
    h(
      "section",
      { class: "notice", role: "alert" },
      h("h1", {}, title),
      h("p", { class: "lead" }, message),
      h("p", { class: "ways" }, h("a", { class: "button second", href: "/" }, "To the start")),
      h("p", { class: "quiet" }, `Request ${requestId}`),
    ),
  );
}

/** A form that came after the end of its session: what it was filled in with is kept here while one signs in beside it. */
export function unsentFormPage(path: string, fields: URLSearchParams): string {
  return page(
    { title: "Please sign in", path: "", script: true },
    h(
      "section",
      { class: "notice", role: "alert" },
      h("h1", {}, "Please sign in"),
      h(
        "p",
        { class: "lead" },
        "Your session has ended, so this form was not taken. What you filled in is kept on this page: sign in beside it, come back, and send it again.",
      ),
      h(
        "form",
        { class: "ways", method: "post", action: path },
        ...[...fields].map(([name, value]) => h("input", { type: "hidden", name, value })),
        h("a", { class: "button", href: "/login", target: "_blank" }, "Sign in in a new tab"),
        h("button", { class: "second", type: "submit" }, "Send it again"),
      ),
    ),
  );
}
