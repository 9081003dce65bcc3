import type { KoaContextWithOIDC } from "oidc-provider";
import { interactionPolicy } from "./library.ts";

/** How strongly somebody signed in (OpenID Connect Core, section 2: `acr`). */
export const acr = {
  password: "urn:onbehalf:acr:password",
  /** Signed in once more for something that needs it. */
  stepUp: "urn:onbehalf:acr:step-up",
} as const;

/** Whether an authorization request asks for the stronger sign-in, by `acr_values` or by the `claims` parameter. */
export function asksForStepUp(params: Readonly<Record<string, unknown>>): boolean {
  if (typeof params.acr_values === "string" && params.acr_values.split(" ").includes(acr.stepUp)) return true;
  // A claims challenge is opaque to the application, which only carries it; so its values are looked for anywhere in it.
  return typeof params.claims === "string" && params.claims.includes(JSON.stringify(acr.stepUp));
}

/** The library takes `acr_values` as a wish; like Okta, we ask the person when the session is weaker than wished. */
export const stepUpCheck = new interactionPolicy.Check(
  "step_up",
  "a stronger sign-in is required",
  "login_required",
  (ctx: KoaContextWithOIDC) =>
    asksForStepUp(ctx.oidc.params ?? {}) && ctx.oidc.session?.acr !== acr.stepUp
      ? interactionPolicy.Check.REQUEST_PROMPT
      : interactionPolicy.Check.NO_NEED_TO_PROMPT,
);
