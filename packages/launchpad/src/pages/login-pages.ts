import type { Context } from "hono";
import type { LoginPages } from "../login/routes.ts";
import { loginFailurePage, signedOutPage } from "./notices.ts";
import { signInPage } from "./sign-in.ts";

/** The pages that the login shows on its way. */
export const loginPages: LoginPages = {
  choice: (c, providers, returnTo) =>
    c.html(
      signInPage(
        providers.map(({ config }) => config),
        returnTo,
      ),
    ),
  failure: (c, failure, provider) => {
    note(c, { error_code: failure.code, reason: failure.cause instanceof Error ? failure.cause.message : undefined });
    if (failure.retryAfterSeconds !== undefined) c.header("retry-after", String(failure.retryAfterSeconds));
    return c.html(loginFailurePage(failure, provider, String(c.get("requestId"))), failure.status);
  },
  signedOut: (c, next) => c.html(signedOutPage(next)),
};

function note(c: Context, fields: Readonly<Record<string, unknown>>): void {
  c.get("note")?.(fields);
}
