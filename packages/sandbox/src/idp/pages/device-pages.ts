import { html } from "hono/html";
import { mark, type RenderedPage, renderPage } from "./layout.ts";

/** Where the form of a page goes, and the token that makes it ours. */
interface DeviceForm {
  readonly action: string;
  readonly xsrf: string;
}

/**
 * The page for somebody who was shown a code.
 * @param problem what was wrong with the last one, in words
 */
export function codeEntryPage({ action, xsrf }: DeviceForm, problem?: string): RenderedPage {
  const wrong = problem !== undefined;
  return renderPage({
    title: wrong ? "Enter the code: please try again" : "Enter the code",
    body: html`${mark}
<h1>Enter the code</h1>
<p class="soft">that your terminal or device shows</p>
${wrong ? html`<p class="problem" role="alert" id="problem">${problem}</p>` : ""}
<form method="post" action="${action}">
  <input type="hidden" name="xsrf" value="${xsrf}">
  <label for="user_code">Code</label>
  <input class="code" id="user_code" name="user_code" autocomplete="off" autocapitalize="characters" spellcheck="false"
    required maxlength="32" ${wrong ? html`aria-invalid="true" aria-describedby="problem"` : ""} autofocus>
  <button class="main-action">Continue</button>
</form>
<footer><p>Enter only a code that you asked for yourself, just now.</p></footer>`,
  });
}

/** What whoever showed the code asked for. */
interface CodeAsked {
  readonly clientName: string;
  readonly userCode: string;
  /** Whom the token will be good for. */
  readonly audiences: readonly string[];
  readonly scopes: readonly string[];
  /** The address and the program the request came from; the latter says of itself what it likes. */
  readonly askedFrom: string;
  readonly signedInAs: string | undefined;
  readonly signOutUrl: string;
}

/** Never left out, however the code came: the link may be somebody else's (RFC 8628, section 5.4). */
export function codeConfirmPage(form: DeviceForm, asked: CodeAsked): RenderedPage {
  const { clientName, userCode, audiences, scopes, askedFrom, signedInAs, signOutUrl } = asked;
  const named = scopes.filter((scope) => !inWords.has(scope));
  return renderPage({
    title: `Sign in to ${clientName}?`,
    body: html`${mark}
<h1>Sign in to ${clientName}?</h1>
<p class="soft">It asks to act as you, and shows this code:</p>
<p class="code" id="code">${userCode}</p>
<p class="note">Go on only if you started this yourself and see the same code there. If somebody sent you the code or a
link, refuse: they would be signed in as you.</p>
<dl>
<dt>Access to</dt><dd id="audience">${audiences.join(", ")}</dd>
${named.length === 0 ? "" : html`<dt>Scopes</dt><dd id="scopes">${named.join(", ")}</dd>`}
<dt>Learns</dt><dd>your name, email address and groups</dd>
<dt>Lasts</dt><dd id="lasts">${scopes.includes("offline_access") ? whileUsed : "until your session here ends"}</dd>
<dt>Asked from</dt><dd>${askedFrom}</dd>
${signedInAs === undefined ? "" : html`<dt>You are</dt><dd id="who">${signedInAs} (<a href="${signOutUrl}">not you? sign out</a>)</dd>`}
</dl>
<form method="post" action="${form.action}">
  <input type="hidden" name="xsrf" value="${form.xsrf}">
  <input type="hidden" name="user_code" value="${userCode}">
  <button class="main-action" name="confirm" value="yes">Yes, the code is the same</button>
  <button class="quiet" name="abort" value="yes">No, refuse</button>
</form>`,
  });
}

/** Scopes that the page says in words. */
const inWords: ReadonlySet<string> = new Set(["", "openid", "profile", "email", "groups", "offline_access"]);

const whileUsed = "until revoked or long unused, also while you are away";

export function deviceDonePage(clientName: string, user: string): RenderedPage {
  return renderPage({
    title: "You are signed in",
    body: html`${mark}<h1 id="device-done">You are signed in</h1>
<p class="soft"><strong>${clientName}</strong> now acts as <strong>${user}</strong>. You can close this page and go back
to it.</p>`,
  });
}

export function deviceRefusedPage(): RenderedPage {
  return renderPage({
    title: "Refused",
    body: html`${mark}<h1>Refused</h1>
<p class="soft">Nobody was signed in, and the code is worthless now. You can close this page.</p>`,
  });
}
