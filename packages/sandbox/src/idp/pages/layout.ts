import { randomBytes } from "node:crypto";
import { html, raw } from "hono/html";
import { styles } from "./styles.ts";

export type Html = ReturnType<typeof html>;

export interface Page {
  readonly title: string;
  readonly body: Html;
  /** Origins a form of this page may lead to by redirects, besides our own. */
  readonly formTargets?: readonly string[];
  /** Run when the page has loaded; the only script, and rarely there. */
  readonly script?: string;
}

/** A page with the headers that go with it, its content security policy among them. */
export interface RenderedPage {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A whole page, which loads nothing, with the headers that say so. */
export function renderPage({ title, body, formTargets = [], script }: Page): RenderedPage {
  const nonce = randomBytes(16).toString("base64url");
  const document = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="data:,">
<style nonce="${nonce}">${raw(styles)}</style>
</head>
<body>
<main>${body}</main>
${script === undefined ? "" : html`<script nonce="${nonce}">${raw(script)}</script>`}
</body>
</html>`;
  const forms = ["'self'", ...formTargets].join(" ");
  const policy = [
    "default-src 'none'",
    `style-src 'nonce-${nonce}'`,
    ...(script === undefined ? [] : [`script-src 'nonce-${nonce}'`]),
    "img-src data:",
    // Browsers check every redirect that follows a form, so the way back to the application is named too.
    `form-action ${forms}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
  return {
    body: String(document),
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": policy,
      "cache-control": "no-store",
      // Not no-referrer: a browser would then send "Origin: null" with our own form.
      "referrer-policy": "same-origin",
      "x-content-type-options": "nosniff",
    },
  };
}

/** The mark above each card: two links of a chain. */
export const mark = html`<svg class="mark" viewBox="0 0 48 48" width="44" height="44" aria-hidden="true"
  fill="none" stroke="currentColor" stroke-width="4.5" stroke-linecap="round">
  <rect x="5" y="15" width="23" height="18" rx="9"/><rect x="20" y="15" width="23" height="18" rx="9" opacity=".55"/>
</svg>`;
