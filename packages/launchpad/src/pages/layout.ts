import type { Session } from "../session/session.ts";
import { type Child, h, type Tree, toHtml } from "./tree.ts";

/** What every page shows around its content. */
export interface Frame {
  readonly title: string;
  /** Undefined: nobody is signed in. */
  readonly session?: Session | undefined;
  readonly isAdmin?: boolean;
  /** Path of the page, to mark it in the navigation. */
  readonly path: string;
  /** Loads the script where nobody is signed in, too. */
  readonly script?: boolean;
  /** Goes on by itself: seconds and path. */
  readonly refresh?: { readonly seconds: number; readonly path: string } | undefined;
}

/** A whole page as HTML. */
export function page(frame: Frame, ...content: readonly Child[]): string {
  return `<!doctype html>${toHtml(
    h(
      "html",
      { lang: "en" },
      h(
        "head",
        {},
        h("meta", { charset: "utf-8" }),
        h("title", {}, `${frame.title} · Onbehalf`),
        h("meta", { name: "viewport", content: "width=device-width, initial-scale=1" }),
        h("meta", { name: "color-scheme", content: "light dark" }),
        frame.refresh &&
          h("meta", { "http-equiv": "refresh", content: `${frame.refresh.seconds};url=${frame.refresh.path}` }),
        h("link", { rel: "icon", href: "/assets/mark.svg", type: "image/svg+xml" }),
        h("link", { rel: "stylesheet", href: "/assets/style.css" }),
        (frame.script === true || frame.session !== undefined) &&
          h("script", { type: "module", src: "/assets/page.js" }),
      ),
      h(
        "body",
        {},
        h("a", { class: "skip", href: "#main" }, "Skip to content"),
        header(frame),
        h("main", { id: "main", tabindex: -1 }, ...content),
      ),
    ),
  )}`;
}

function header({ session, isAdmin, path }: Frame): Tree {
  return h(
    "header",
    { class: "top" },
    h("a", { class: "brand", href: "/" }, mark(), h("span", {}, "Onbehalf")),
    session !== undefined &&
      h(
        "nav",
        { "aria-label": "Main" },
        tab("/", "Ask", path),
        tab("/me", "Me", path),
        isAdmin === true && tab("/admin", "Admin", path),
        tab("/api/v1/docs", "API", path),
      ),
    session !== undefined && account(session),
  );
}

function tab(href: string, label: string, path: string): Tree {
  return h("a", { href, "aria-current": href === path ? "page" : undefined }, label);
}

function account({ user }: Session): Tree {
  const name = user.name ?? user.subject;
  return h(
    "form",
    { class: "account", method: "post", action: "/logout" },
    h("span", { class: "who" }, h("strong", {}, name), h("span", { class: "quiet" }, user.email ?? user.subject)),
    h("button", { type: "submit", class: "plain" }, "Sign out"),
  );
}

/** Three rings on one line: a name that passes through. */
export function mark(): Tree {
  const ring = (cx: number): Tree => h("circle", { cx, cy: 12, r: 3.5 });
  return h(
    "svg",
    { class: "mark", viewBox: "0 0 32 24", width: 32, height: 24, "aria-hidden": "true" },
    h("path", { d: "M1 12h30" }),
    ring(6),
    ring(16),
    ring(26),
  );
}
