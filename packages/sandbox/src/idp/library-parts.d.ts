// The library's own entry warns on standard error about every Node that is not yet called a long-term release, which
// the one we bring is not. Its parts are taken from where they are instead, with the types of the entry.
declare module "oidc-provider/lib/provider.js" {
  export { Provider } from "oidc-provider";
}
declare module "oidc-provider/lib/helpers/errors.js" {
  import type { errors } from "oidc-provider";
  export const CustomOIDCProviderError: typeof errors.CustomOIDCProviderError;
  export const InvalidGrant: typeof errors.InvalidGrant;
  export const InvalidRequest: typeof errors.InvalidRequest;
  export const InvalidScope: typeof errors.InvalidScope;
  export const InvalidTarget: typeof errors.InvalidTarget;
  export const UnauthorizedClient: typeof errors.UnauthorizedClient;
}
declare module "oidc-provider/lib/helpers/validate_dpop.js" {
  import type { KoaContextWithOIDC, Provider } from "oidc-provider";

  interface Proof {
    readonly thumbprint: string;
  }
  /** The proof in the request's DPoP header, checked, or nothing when there is none (RFC 9449, section 4.3). */
  export default function validateDpop(provider: Provider, ctx: KoaContextWithOIDC): Promise<Proof | undefined>;
  export function checkDpopReplay(
    provider: Provider,
    ctx: KoaContextWithOIDC,
    proof: Proof,
    clientId: string,
  ): Promise<void>;
}
declare module "oidc-provider/lib/helpers/interaction_policy/index.js" {
  import type { interactionPolicy } from "oidc-provider";
  export const base: typeof interactionPolicy.base;
  export const Check: typeof interactionPolicy.Check;
}
