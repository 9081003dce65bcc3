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

/** Any other page that cannot be shown. */
export function problemPage(title: string, message: string, requestId: string, session?: Session): string {
  return page(
    { title, path: "", session },
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
