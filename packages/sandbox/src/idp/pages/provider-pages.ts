import { html, raw } from "hono/html";
import type { ErrorOut, KoaContextWithOIDC } from "oidc-provider";
import { mark, type Page, renderPage } from "./layout.ts";

function show(ctx: KoaContextWithOIDC, page: Page): void {
  const { body, headers } = renderPage(page);
  ctx.set({ ...headers });
  ctx.body = body;
}

/** What to do about the errors a person can meet here; the rest is for whoever set the application up. */
const advice: Readonly<Record<string, string>> = {
  invalid_client: "The application that sent you is not known here. Tell whoever runs it.",
  invalid_redirect_uri:
    "The application asked to be answered at an address it has not registered. Tell whoever runs it.",
  access_denied: "Go back to the application and try again, perhaps as somebody else.",
  invalid_request:
    "Go back to the application and start the sign-in again; a sign-in page is good for one hour and one use.",
};

/** An error that cannot be sent back to the application, shown to the person instead. */
export function showError(ctx: KoaContextWithOIDC, out: ErrorOut): void {
  show(ctx, {
    title: "Sign-in did not work",
    body: html`${mark}<h1>Sign-in did not work</h1>
<p class="problem" role="alert">${advice[out.error] ?? "Something went wrong on our side. Go back to the application and start again; if it happens again, tell whoever runs it."}</p>
<dl><dt>Code</dt><dd><code>${out.error}</code></dd>
<dt>Reason</dt><dd id="reason">${out.error_description ?? "none was given"}</dd></dl>`,
  });
}

/**
 * Sign-out that an application asked for with the ID token it holds goes on by itself, as it does at Okta; anybody else
 * is asked first, since a link alone must not sign people out.
 */
export function showSignOut(ctx: KoaContextWithOIDC, form: string): void {
  const returnTo = ctx.oidc.params?.post_logout_redirect_uri;
  const byApplication = ctx.oidc.entities.IdTokenHint !== undefined;
  show(ctx, {
    title: "Sign out",
    formTargets: typeof returnTo === "string" ? [new URL(returnTo).origin] : [],
    ...(byApplication ? { script: 'document.getElementById("yes").click();' } : {}),
    body: html`${mark}<h1>Sign out?</h1>
<p class="soft">This ends your session here and in the applications you used with it.</p>
${raw(form)}
<button class="main-action" id="yes" form="op.logoutForm" name="logout" value="yes">Sign out</button>
<button class="quiet" form="op.logoutForm">Stay signed in</button>`,
  });
}

export function showSignedOut(ctx: KoaContextWithOIDC): void {
  show(ctx, {
    title: "Signed out",
    body: html`${mark}<h1>You are signed out</h1><p class="soft">You can close this page.</p>`,
  });
}
