import type { KoaContextWithOIDC } from "oidc-provider";
import { acr } from "./acr.ts";
import type { SubjectToken } from "./exchange/subject.ts";
import { errors } from "./library.ts";

/** Users whose tokens are exchanged only after a stronger sign-in, as a conditional access policy would have it. */
export interface StepUp {
  require(username: string): void;
  release(username: string | undefined): void;
  users(): string[];
  /** @throws CustomOIDCProviderError interaction_required, with the challenge for the application in the answer */
  check(ctx: KoaContextWithOIDC, subject: SubjectToken, challenge: object): void;
}

/** What the application hands back as `claims` with its next authorization request (OpenID Connect Core, section 5.5). */
export const standardChallenge = { id_token: { acr: { essential: true, values: [acr.stepUp] } } };
/** The same in Entra's words: an authentication context by its number. */
export const entraChallenge = { access_token: { acrs: { essential: true, value: "c1" } } };

export function createStepUp(): StepUp {
  const required = new Set<string>();
  return {
    require: (username) => void required.add(username),
    release: (username) => void (username === undefined ? required.clear() : required.delete(username)),
    users: () => [...required],
    check: (ctx, subject, challenge) => {
      if (!required.has(subject.user.username) || subject.acr === acr.stepUp) return;
      ctx.state.claims = JSON.stringify(challenge);
      const words = "AADSTS50076: a policy asks for a stronger sign-in before this service may be called for you.";
      throw new errors.CustomOIDCProviderError("interaction_required", words);
    },
  };
}

/** An Entra challenge as the library understands it; anything else as it is. */
export function translatedChallenge(claims: string): string {
  try {
    const parsed = JSON.parse(claims) as { access_token?: { acrs?: unknown } };
    return parsed.access_token?.acrs === undefined ? claims : JSON.stringify(standardChallenge);
  } catch {
    return claims;
  }
}
