import { html } from "hono/html";
import type { IssuerDefinition, User } from "../definitions.ts";
import { mark, type RenderedPage, renderPage } from "./layout.ts";

/** What is here, for somebody who opens the address in a browser. */
export function indexPage(issuers: ReadonlyMap<string, IssuerDefinition>, users: Iterable<User>): RenderedPage {
  return renderPage({
    title: "Sandbox identity provider",
    body: html`${mark}
<h1>Sandbox identity provider</h1>
<p class="soft">A stand-in for Okta and its like, on a certified OpenID Connect library. For this machine only.</p>
<h2>Issuers</h2>
<dl>${[...issuers].map(
      ([name, { dialect }]) =>
        html`<dt>${dialect}</dt><dd><a href="/oauth2/${name}/.well-known/openid-configuration">/oauth2/${name}</a></dd>`,
    )}</dl>
<h2 class="next">People; each password is the name</h2>
<dl>${[...users].map(
      ({ sub, groups }) =>
        html`<dt>${sub}</dt><dd>${groups.length > 0 ? groups.slice(0, 5).join(", ") : "in no group"}</dd>`,
    )}</dl>
<footer><p>Switches for trying failures: <code>POST /sandbox/faults</code>, <code>/sandbox/keys/rotate</code>,
<code>/sandbox/step-up</code>, <code>/sandbox/sign-out</code>, <code>/sandbox/lifetimes</code>;
<code>GET /sandbox/calls</code>.</p></footer>`,
  });
}
