import { html } from "hono/html";
import { mark, type RenderedPage, renderPage } from "./layout.ts";

/** Where the forms of a page go, and the token that makes them ours. */
export interface DeviceForm {
  readonly action: string;
  readonly xsrf: string;
}

export interface CodeEntry {
  /** Absent: no code is taken just now. */
  readonly form: DeviceForm | undefined;
  /** What was wrong with the last one, in words. */
  readonly problem?: string | undefined;
}

/** The page somebody opens who was told a code. */
export function codeEntryPage({ form, problem }: CodeEntry): RenderedPage {
  return renderPage({
    title: problem === undefined ? "Enter the code" : "Enter the code: please try again",
    body: html`${mark}
<h1>Enter the code</h1>
<p class="soft">that the application on your device or in your terminal shows</p>
${problem === undefined ? "" : html`<p class="problem" role="alert" id="problem">${problem}</p>`}
${
  form === undefined
    ? ""
    : html`<form method="post" action="${form.action}">
  <input type="hidden" name="xsrf" value="${form.xsrf}">
  <label for="user_code">Code</label>
  <input class="code" id="user_code" name="user_code" autocomplete="off" autocapitalize="characters" spellcheck="false"
    required maxlength="32" autofocus ${problem === undefined ? "" : html`aria-invalid="true" aria-describedby="problem"`}>
  <button class="main-action">Continue</button>
</form>`
}
<footer><p>Enter only a code that you asked for yourself, just now.</p></footer>`,
  });
}

/** What whoever showed the code asked for. */
export interface CodeAsked {
  readonly clientName: string;
  readonly userCode: string;
  readonly audience: string;
  readonly scopes: readonly string[];
  /** The address and the program the request came from. */
  readonly askedFrom: string;
  readonly signedInAs: string | undefined;
  readonly signOutUrl: string;
}

/** Never left out, however the code came: a link may have been sent by somebody else (RFC 8628, section 5.4). */
export function codeConfirmPage(form: DeviceForm, asked: CodeAsked): RenderedPage {
  const { clientName, userCode, audience, scopes, askedFrom, signedInAs, signOutUrl } = asked;
  const others = scopes.filter((scope) => !told.has(scope));
  return renderPage({
    title: `Sign in to ${clientName}?`,
    body: html`${mark}
<h1>Sign in to ${clientName}?</h1>
<p class="soft">It asks to act as you, and shows this code:</p>
<p class="code" id="code">${userCode}</p>
<p class="note">Go on only if you started this yourself and see the same code there. Whoever sent you a code or this link
would be signed in as you.</p>
<dl>
<dt>Access to</dt><dd id="audience">${audience}</dd>
<dt>Learns</dt><dd id="learns">${learned(scopes)}</dd>
${others.length === 0 ? "" : html`<dt>May use</dt><dd id="scopes">${others.join(", ")}</dd>`}
<dt>Stays</dt><dd id="stays">${scopes.includes("offline_access") ? "signed in when you leave" : "as long as your session here"}</dd>
<dt>Asked from</dt><dd>${askedFrom}</dd>
${signedInAs === undefined ? "" : html`<dt>You are</dt><dd><b>${signedInAs}</b> (<a href="${signOutUrl}">sign out</a> to be somebody else)</dd>`}
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
const told: ReadonlySet<string> = new Set(["", "openid", "profile", "email", "groups", "offline_access"]);

/** Access tokens carry the user's claims whatever their scopes, so nothing less is promised. */
const learned = (scopes: readonly string[]): string =>
  scopes.includes("openid") ? "who you are, your email address and your groups" : "who you are and your groups";

export function deviceDonePage(clientName: string, user: string): RenderedPage {
  return renderPage({
    title: "You are signed in",
    body: html`${mark}<h1 id="device-done">You are signed in</h1>
<p class="soft"><strong>${clientName}</strong> now acts as <strong>${user}</strong>. You can close this page and go back to it.</p>`,
  });
}

export function deviceRefusedPage(): RenderedPage {
  return renderPage({
    title: "Refused",
    body: html`${mark}<h1>Refused</h1>
<p class="soft">Nobody was signed in. The code is worthless now; you can close this page.</p>`,
  });
}
