import { html } from "hono/html";
import type { User } from "../definitions.ts";
import { type Html, mark, type RenderedPage, renderPage } from "./layout.ts";

export interface SignInView {
  readonly issuerTitle: string;
  readonly clientName: string;
  /** Where the form goes; our own path. */
  readonly action: string;
  readonly formToken: string;
  readonly people: readonly User[];
  /** Filled in already: from a login hint, or what was typed before. */
  readonly username: string;
  /** What went wrong with the last try, in words. */
  readonly problem?: string | undefined;
  /** The application asks for a stronger sign-in than the running one. */
  readonly stepUp: boolean;
  /** Where the application takes the answer. */
  readonly returnOrigin: string | undefined;
}

export function signInPage(view: SignInView): RenderedPage {
  return renderPage({
    title: view.problem === undefined ? "Sign in" : "Sign in: please try again",
    formTargets: view.returnOrigin === undefined ? [] : [view.returnOrigin],
    body: html`${mark}
<h1>${view.stepUp ? "Confirm it is you" : "Sign in"}</h1>
<p class="soft">to continue to <strong>${view.clientName}</strong></p>
${view.stepUp ? html`<p class="note">This step needs a fresh, stronger sign-in. Enter your password once more.</p>` : ""}
${view.problem === undefined ? "" : html`<p class="problem" role="alert" id="problem">${view.problem}</p>`}
<form method="post" action="${view.action}">
  <input type="hidden" name="form_token" value="${view.formToken}">
  <label for="username">User name</label>
  <input id="username" name="username" value="${view.username}" autocomplete="username" autocapitalize="none"
    spellcheck="false" required maxlength="64" ${invalid(view)} ${view.username === "" ? "autofocus" : ""}>
  <label for="password">Password</label>
  <input id="password" name="password" type="password" autocomplete="current-password" required maxlength="128"
    ${invalid(view)} ${view.username === "" ? "" : "autofocus"}>
  <button class="main-action">Sign in</button>
</form>
${people(view)}
<form method="post" action="${view.action}">
  <input type="hidden" name="form_token" value="${view.formToken}">
  <button class="quiet" name="cancel" value="yes">Cancel and go back</button>
</form>
<footer><p>${view.issuerTitle}. A stand-in for your identity provider: each password is the user name.</p></footer>`,
  });
}

const invalid = ({ problem }: SignInView) =>
  problem === undefined ? "" : html`aria-invalid="true" aria-describedby="problem"`;

/** One form each, which sends the same name and password somebody would type; they are checked the same way. */
function people({ people, action, formToken }: SignInView): Html | string {
  if (people.length === 0) return "";
  return html`<p class="or" aria-hidden="true">or as a demo user</p>
<h2 hidden id="people">Demo users</h2>
<ul class="people" aria-labelledby="people">${people.map(
    (user) => html`<li><form method="post" action="${action}">
  <input type="hidden" name="form_token" value="${formToken}">
  <input type="hidden" name="username" value="${user.sub}">
  <input type="hidden" name="password" value="${user.sub}">
  <button class="person">
    <span class="face" aria-hidden="true">${user.given_name.charAt(0)}</span>
    <span><span class="unseen">Sign in as </span><b>${user.sub}</b><small>${user.title}</small></span>
  </button>
</form></li>`,
  )}</ul>`;
}
