import type { Client, Configuration, ErrorOut, KoaContextWithOIDC, Provider } from "oidc-provider";
import type { Accounts } from "./accounts.ts";
import type { CodeGuesses } from "./code-guesses.ts";
import type { IssuerDefinition } from "./definitions.ts";
import {
  type CodeAsked,
  codeConfirmPage,
  codeEntryPage,
  deviceDonePage,
  deviceRefusedPage,
} from "./pages/device-pages.ts";
import type { RenderedPage } from "./pages/layout.ts";
import { showError } from "./pages/provider-pages.ts";

export interface DeviceParts {
  readonly url: string;
  readonly definition: IssuerDefinition;
  readonly accounts: Accounts;
  readonly guesses: CodeGuesses;
  /** How many codes wait to be entered. */
  readonly waitingDeviceCodes: () => number;
}

type Next = () => Promise<unknown>;
type DeviceFlow = Exclude<NonNullable<NonNullable<Configuration["features"]>["deviceFlow"]>, boolean>;

/** With 20^8 codes and the guesses an issuer takes in a code's life, hitting one of these is a matter of 1 in 10^5. */
const maxWaitingCodes = 1000;
const maxDeviceLength = 80;

/**
 * What the library does not bound or do itself: how many codes wait, how many may be guessed, and that a code which
 * comes with the link is shown for confirmation instead of being sent on by a script (RFC 8628, sections 5.1 and 5.4).
 */
export function addDeviceBounds(provider: Provider, { guesses, waitingDeviceCodes }: DeviceParts): void {
  provider.use(async (ctx: KoaContextWithOIDC, next: Next): Promise<unknown> => {
    if (ctx.path === "/v1/device_authorization" && waitingDeviceCodes() >= maxWaitingCodes) return tooManyWaiting(ctx);
    if (ctx.path !== "/v1/device") return await next();
    if (ctx.method === "GET") {
      const { user_code: code } = ctx.query;
      if (code === undefined) return await next();
      // Kept from the library, which would post it at once.
      ctx.state.userCode = String(code);
      ctx.query = {};
    }
    const takeBack = guesses.begin(Date.now());
    if (takeBack === undefined) return tooManyGuesses(ctx);
    await next();
    return ctx.state.unknownCode === true ? undefined : takeBack();
  });
}

function tooManyWaiting(ctx: KoaContextWithOIDC): void {
  ctx.status = 503;
  ctx.set("retry-after", "60");
  ctx.body = {
    error: "temporarily_unavailable",
    error_description: "too many device codes wait to be entered; try again in a minute",
  };
}

function tooManyGuesses(ctx: KoaContextWithOIDC): void {
  ctx.set("retry-after", "60");
  show(
    ctx,
    codeEntryPage({ form: undefined, problem: "Too many wrong codes were entered. Try again in a minute." }),
    429,
  );
}

/** The pages of the device flow, in the library's places for them. */
export function devicePages(parts: DeviceParts): DeviceFlow {
  return {
    charset: "base-20",
    mask: "****-****",
    deviceInfo: (ctx) => ({ ip: ctx.ip, agent: ctx.get("user-agent").slice(0, maxDeviceLength) }),
    userCodeInputSource: (ctx, _form, out, error) =>
      error === undefined ? showEntry(ctx, parts) : showProblem(ctx, parts, error, out),
    userCodeConfirmSource: (ctx, _form, client, device, userCode) =>
      showConfirm(ctx, parts, { client, device, userCode, params: ctx.oidc.deviceCode?.params ?? {} }),
    successSource: (ctx) => {
      const user = parts.accounts.bySubject(ctx.oidc.session?.accountId ?? "");
      show(ctx, deviceDonePage(ctx.oidc.client?.clientName ?? "The application", user?.sub ?? ""));
    },
  };
}

/** The empty form or, when the link brought a code, what the library shows after it was entered. */
async function showEntry(ctx: KoaContextWithOIDC, parts: DeviceParts): Promise<void> {
  const typed: unknown = ctx.state.userCode;
  if (typeof typed !== "string" || typed === "") return show(ctx, codeEntryPage({ form: formOf(ctx, parts) }));
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

/** What to tell somebody about their code; the library's names for what is wrong with it. */
const problems: Readonly<Record<string, string>> = {
  NoCodeError: "Enter the code that your device shows.",
  NotFoundError: "There is no such code. Compare it with the one your device shows.",
  ExpiredError: "This code has expired. Start again on your device to get a new one.",
  AlreadyUsedError: "This code was used already. Start again on your device to get a new one.",
  InvalidRequest: "That form was not from this page, or the page was replaced by a newer one. Please try again.",
  SessionNotFound: "That sign-in has expired or was begun in another browser. Start again on your device.",
};

function showProblem(ctx: KoaContextWithOIDC, parts: DeviceParts, error: Error, out: ErrorOut | undefined): void {
  if (error.name === "AbortedError") show(ctx, deviceRefusedPage());
  else if (problems[error.name] !== undefined) showWrongCode(ctx, parts, error.name);
  else showError(ctx, out ?? { error: "server_error" });
}

function showWrongCode(ctx: KoaContextWithOIDC, parts: DeviceParts, name: string): void {
  ctx.state.unknownCode = name === "NotFoundError";
  show(ctx, codeEntryPage({ form: formOf(ctx, parts), problem: problems[name] }), 400);
}

interface Confirmed {
  readonly client: Client;
  readonly device: Readonly<Record<string, unknown>>;
  readonly userCode: string;
  readonly params: Readonly<Record<string, unknown>>;
}

function showConfirm(ctx: KoaContextWithOIDC, parts: DeviceParts, { client, device, userCode, params }: Confirmed) {
  const { definition, accounts } = parts;
  const scopes = String(params.scope ?? "").split(" ");
  const asked: CodeAsked = {
    clientName: client.clientName ?? client.clientId,
    userCode,
    audience: String(params.audience ?? definition.clients[client.clientId]?.audiences[0] ?? ""),
    scopes,
    askedFrom: [device.ip, device.agent].filter(Boolean).join(", "),
    signedInAs: accounts.bySubject(ctx.oidc.session?.accountId ?? "")?.sub,
    signOutUrl: `${new URL(parts.url).pathname}/v1/logout`,
  };
  show(ctx, codeConfirmPage(formOf(ctx, parts), asked));
}

/** Where forms go, and the token the library has just put into the session for them. */
function formOf(ctx: KoaContextWithOIDC, { url }: DeviceParts): { action: string; xsrf: string } {
  return { action: `${new URL(url).pathname}/v1/device`, xsrf: String(ctx.oidc.session?.state?.secret ?? "") };
}

function show(ctx: KoaContextWithOIDC, { body, headers }: RenderedPage, status = 200): void {
  ctx.status = status;
  ctx.set({ ...headers });
  ctx.body = body;
}
