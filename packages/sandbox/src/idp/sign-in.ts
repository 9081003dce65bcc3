import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { text as readText } from "node:stream/consumers";
import type { Interaction, KoaContextWithOIDC, Provider } from "oidc-provider";
import type { Accounts } from "./accounts.ts";
import { acr, asksForStepUp } from "./acr.ts";
import type { IssuerDefinition, User } from "./definitions.ts";
import { showError } from "./pages/provider-pages.ts";
import { type SignInView, signInPage } from "./pages/sign-in-page.ts";

interface SignInParts {
  readonly issuerUrl: string;
  readonly definition: IssuerDefinition;
  readonly accounts: Accounts;
  /** Keys the form token; the same for all rebuilt providers of an issuer, so that open pages stay good. */
  readonly secret: string;
}

type Next = () => Promise<unknown>;

/** Adds the sign-in page, where the library sends a person whom it cannot answer without asking. */
export function addSignIn(provider: Provider, parts: SignInParts): void {
  provider.use((ctx: KoaContextWithOIDC, next: Next) => {
    const uid = /^\/signin\/([\w-]{1,64})$/.exec(ctx.path)?.[1];
    return uid === undefined ? next() : answer(provider, ctx, parts, uid);
  });
}

async function answer(provider: Provider, ctx: KoaContextWithOIDC, parts: SignInParts, uid: string): Promise<void> {
  const interaction = await runningInteraction(provider, ctx, uid);
  if (interaction === undefined) expired(ctx);
  else if (ctx.method === "GET") show(ctx, parts, interaction, {});
  else if (ctx.method === "POST") await submit(provider, ctx, parts, interaction);
  else ctx.throw(405);
}

/** The sign-in of this browser, and no other: the cookie must name the one in the path. */
async function runningInteraction(provider: Provider, ctx: KoaContextWithOIDC, uid: string) {
  const interaction = await provider.interactionDetails(ctx.req, ctx.res).catch(() => undefined);
  return interaction?.uid === uid ? interaction : undefined;
}

async function submit(provider: Provider, ctx: KoaContextWithOIDC, parts: SignInParts, interaction: Interaction) {
  const form = await readForm(ctx);
  if (form === undefined || !isOurForm(ctx, parts, interaction, form)) {
    return show(ctx, parts, interaction, {
      problem: "That form was not from this page. Please try again.",
      status: 403,
    });
  }
  if (form.has("cancel")) {
    const result = { error: "access_denied", error_description: "the person cancelled the sign-in" };
    return redirect(ctx, await provider.interactionResult(ctx.req, ctx.res, result));
  }
  const username = (form.get("username") ?? "").trim();
  const user = parts.accounts.byUsername(username);
  if (user === undefined || !isPassword(form.get("password") ?? "", user)) {
    const problem = "User name and password do not match. In this sandbox the password is the user name.";
    return show(ctx, parts, interaction, { problem, username, status: 403 });
  }
  const stepUp = asksForStepUp(interaction.params);
  const login = {
    accountId: parts.accounts.subjectOf(user),
    acr: stepUp ? acr.stepUp : acr.password,
    amr: stepUp ? ["pwd", "mfa"] : ["pwd"],
  };
  redirect(ctx, await provider.interactionResult(ctx.req, ctx.res, { login }));
}

interface Shown {
  readonly problem?: string;
  readonly username?: string;
  readonly status?: number;
}

function show(ctx: KoaContextWithOIDC, parts: SignInParts, interaction: Interaction, shown: Shown): void {
  const { params } = interaction;
  const clientId = String(params.client_id);
  const view: SignInView = {
    issuerTitle: parts.definition.title,
    clientName: parts.definition.clients[clientId]?.name ?? clientId,
    action: `${new URL(parts.issuerUrl).pathname}/signin/${interaction.uid}`,
    formToken: formToken(parts, interaction),
    people: parts.accounts.all,
    username: shown.username ?? (typeof params.login_hint === "string" ? params.login_hint : ""),
    problem: shown.problem,
    stepUp: asksForStepUp(interaction.params),
    returnOrigin: typeof params.redirect_uri === "string" ? originOf(params.redirect_uri) : undefined,
  };
  const { body, headers } = signInPage(view);
  ctx.status = shown.status ?? 200;
  ctx.set({ ...headers });
  ctx.body = body;
}

function expired(ctx: KoaContextWithOIDC): void {
  ctx.status = 400;
  const reason = "This sign-in page has expired, was used already, or was opened in another browser.";
  showError(ctx, { error: "invalid_request", error_description: reason });
}

function redirect(ctx: KoaContextWithOIDC, location: string): void {
  ctx.status = 303;
  ctx.redirect(location);
}

const maxFormBytes = 8 * 1024;

async function readForm(ctx: KoaContextWithOIDC): Promise<URLSearchParams | undefined> {
  if (!ctx.is("application/x-www-form-urlencoded") || (ctx.request.length ?? maxFormBytes + 1) > maxFormBytes)
    return undefined;
  return new URLSearchParams(await readText(ctx.req));
}

/** A form of our own page: it carries the token of this sign-in, and the browser says it comes from here. */
function isOurForm(ctx: KoaContextWithOIDC, parts: SignInParts, interaction: Interaction, form: URLSearchParams) {
  const origin = ctx.get("origin");
  const ours = [new URL(parts.issuerUrl).origin, `${ctx.protocol}://${ctx.host}`];
  if (origin !== "" && !ours.includes(origin)) return false;
  return equal(form.get("form_token") ?? "", formToken(parts, interaction));
}

const formToken = ({ secret }: SignInParts, { uid }: Interaction): string =>
  createHmac("sha256", secret).update(`sign-in form ${uid}`).digest("base64url");

/** In the sandbox the password is the name. */
const isPassword = (password: string, { sub }: User): boolean => equal(password, sub);

function equal(a: string, b: string): boolean {
  const digest = (value: string) => createHash("sha256").update(value).digest();
  return timingSafeEqual(digest(a), digest(b));
}

/** Undefined for redirects into a native application, which are no origin. */
function originOf(uri: string): string | undefined {
  const origin = URL.parse(uri)?.origin;
  return origin === undefined || origin === "null" ? undefined : origin;
}
