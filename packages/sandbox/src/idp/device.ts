import type { Client, Configuration, ErrorOut, KoaContextWithOIDC, Provider } from "oidc-provider";
import type { Accounts } from "./accounts.ts";
import { audienceOf } from "./audiences.ts";
import type { IssuerDefinition } from "./definitions.ts";
import { tooManyGuesses } from "./device-bounds.ts";
import { codeConfirmPage, codeEntryPage, deviceDonePage, deviceRefusedPage } from "./pages/device-pages.ts";
import type { RenderedPage } from "./pages/layout.ts";
import { showError } from "./pages/provider-pages.ts";

interface DeviceParts {
  readonly url: string;
  readonly definition: IssuerDefinition;
  readonly accounts: Accounts;
}

type Next = () => Promise<unknown>;
type DeviceFlow = Exclude<NonNullable<NonNullable<Configuration["features"]>["deviceFlow"]>, boolean>;

/** How much is kept and shown of what the device's program calls itself. */
const maxAgentLength = 80;

/**
 * The library sends a code that comes with the link on by a script, whose page has no policy. Kept from it, the code is
 * shown for confirmation at once, where the form to enter one would be.
 */
export function keepLinkedCode(provider: Provider): void {
  provider.use(async (ctx: KoaContextWithOIDC, next: Next) => {
    if (ctx.path === "/v1/device" && ctx.method !== "POST") {
      ctx.state.linkedCode = ctx.query.user_code;
      ctx.query = {};
    }
    await next();
  });
}

/** The pages of the device flow (RFC 8628, section 3.3), in the library's places for them. */
export function devicePages(parts: DeviceParts): DeviceFlow {
  return {
    charset: "base-20",
    mask: "****-****",
    deviceInfo: (ctx) => ({ address: ctx.ip, agent: ctx.get("user-agent").slice(0, maxAgentLength) }),
    userCodeInputSource: (ctx, _form, out, error) =>
      error === undefined ? showEntry(ctx, parts) : showProblem(ctx, parts, error, out),
    userCodeConfirmSource: (ctx, _form, client, device, userCode) =>
      showConfirm(ctx, parts, { client, device, userCode, params: ctx.oidc.deviceCode?.params ?? {} }),
    successSource: (ctx) => {
      const { client, session } = ctx.oidc;
      const user = parts.accounts.bySubject(session?.accountId ?? "")?.sub ?? "";
      show(ctx, deviceDonePage(client?.clientName ?? "", user));
    },
  };
}

/** The empty form or, when the link brought a code, what the library shows after it was entered. */
async function showEntry(ctx: KoaContextWithOIDC, parts: DeviceParts): Promise<void> {
  const typed: unknown = ctx.state.linkedCode;
  if (typeof typed !== "string" || typed === "") return show(ctx, codeEntryPage(formOf(ctx, parts)));
  const { provider } = ctx.oidc;
  const code = await provider.DeviceCode.findByUserCode(normal(typed), { ignoreExpiration: true });
  const client = code?.clientId === undefined ? undefined : await provider.Client.find(code.clientId);
  if (code === undefined || client === undefined) return showWrongCode(ctx, parts, "NotFoundError");
  if (code.isExpired) return showWrongCode(ctx, parts, "ExpiredError");
  if (code.error || code.accountId || code.inFlight) return showWrongCode(ctx, parts, "AlreadyUsedError");
  const userCode = code.userCode.replace(/^(.{4})/, "$1-");
  showConfirm(ctx, parts, { client, device: code.deviceInfo ?? {}, userCode, params: code.params ?? {} });
}

/** As the library reads what was typed: without the dash, and in capitals. */
const normal = (typed: string): string => typed.toUpperCase().replace(/\W/g, "");

/** What to tell somebody about their code, by the library's names for what is wrong. */
const problems: Readonly<Record<string, string>> = {
  NoCodeError: "Enter the code that your device shows.",
  NotFoundError: "There is no such code. Compare it with the one your device shows.",
  ExpiredError: "This code has expired. Start again on your device to get a new one.",
  AlreadyUsedError: "This code was used already. Start again on your device to get a new one.",
  InvalidRequest: "That form was not from this page, or the page was replaced by a newer one. Please try again.",
  SessionNotFound: "That sign-in has expired, or was begun in another browser. Start again on your device.",
};

function showProblem(ctx: KoaContextWithOIDC, parts: DeviceParts, error: Error, out: ErrorOut | undefined): void {
  if (ctx.oidc.session?.exp === undefined) showNoCookie(ctx);
  else if (error.name === "AbortedError") show(ctx, deviceRefusedPage());
  else if (out?.error === tooManyGuesses) showTooManyGuesses(ctx, parts);
  else if (problems[error.name] !== undefined) showWrongCode(ctx, parts, error.name);
  else showError(ctx, out ?? { error: "server_error" });
}

/**
 * A form from a browser without our cookie. The library means to put the next form's token into its session, and then
 * fails to save one that was never begun; so it is told that there is nothing to save, and no form is shown.
 */
function showNoCookie(ctx: KoaContextWithOIDC): void {
  Object.assign(ctx.oidc.session ?? {}, { touched: false });
  ctx.status = 400;
  const reason = "Your browser sent no cookie with the form. Allow cookies here, and open the page for the code again.";
  showError(ctx, { error: "invalid_request", error_description: reason });
}

function showWrongCode(ctx: KoaContextWithOIDC, parts: DeviceParts, name: string): void {
  show(ctx, codeEntryPage(formOf(ctx, parts), problems[name]), 400);
}

function showTooManyGuesses(ctx: KoaContextWithOIDC, parts: DeviceParts): void {
  ctx.set("retry-after", "60");
  const problem = "Too many wrong codes were entered here. Wait a minute, then try again.";
  show(ctx, codeEntryPage(formOf(ctx, parts), problem), 429);
}

interface Confirmed {
  readonly client: Client;
  readonly device: Readonly<Record<string, unknown>>;
  readonly userCode: string;
  /** Of the device's request. */
  readonly params: Readonly<Record<string, unknown>>;
}

function showConfirm(ctx: KoaContextWithOIDC, parts: DeviceParts, { client, device, userCode, params }: Confirmed) {
  const page = codeConfirmPage(formOf(ctx, parts), {
    clientName: client.clientName ?? client.clientId,
    userCode,
    audiences: audiencesOf(parts.definition, client.clientId, params),
    scopes: String(params.scope ?? "").split(" "),
    askedFrom: [device.address, device.agent].filter(Boolean).join(", "),
    signedInAs: parts.accounts.bySubject(ctx.oidc.session?.accountId ?? "")?.sub,
    signOutUrl: `${new URL(parts.url).pathname}/v1/logout`,
  });
  show(ctx, page);
}

/** Whom the token will be good for, in all: what was asked for, or the client's own, and what `aud` says for it. */
function audiencesOf(definition: IssuerDefinition, clientId: string, params: Confirmed["params"]): string[] {
  const named = [params.resource ?? []].flat().map((resource) => audienceOf(String(resource)));
  const fallback = params.audience ?? definition.clients[clientId]?.audiences[0] ?? [];
  const asked = named.length > 0 ? named : [fallback].flat().map(String);
  return [...new Set(asked.flatMap((audience) => definition.audienceClaims[audience] ?? [audience]))];
}

/** Where the form goes, and the token for it that the library has just put into the session. */
function formOf(ctx: KoaContextWithOIDC, { url }: DeviceParts): { action: string; xsrf: string } {
  return { action: `${new URL(url).pathname}/v1/device`, xsrf: String(ctx.oidc.session?.state?.secret ?? "") };
}

function show(ctx: KoaContextWithOIDC, { body, headers }: RenderedPage, status = 200): void {
  ctx.status = status;
  ctx.set({ ...headers });
  ctx.body = body;
}
