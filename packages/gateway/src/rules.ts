import type { Env, Logger } from "@onbehalf/service-kit";
import { createVerifier } from "@onbehalf/shared-auth";
import { createAuthenticate } from "./authenticate.ts";
import type { Settings } from "./config/settings.ts";
import { createPrices } from "./cost/prices.ts";
import { createForward } from "./forward.ts";
import type { FindKey } from "./keys/find-key.ts";
import type { Limiter } from "./limits/limiter.ts";
import { createEntitlements } from "./policy/entitlements.ts";
import { createSignIn } from "./sign-in/sign-in.ts";
import type { Rules } from "./stages.ts";

interface RulesOptions {
  readonly settings: Settings;
  readonly env: Env;
  readonly log: Logger;
  readonly findKey: FindKey;
  /** Keeps its counts over a reload. */
  readonly limiter: Limiter;
}

/** Everything that follows from one set of settings; built whole, so that a reload swaps it in one assignment. */
export function createRules({ settings, env, log, findKey, limiter }: RulesOptions): Rules {
  const { issuers } = settings;
  const verifier =
    issuers.length === 0
      ? undefined
      : createVerifier({
          issuers: issuers.map(({ options }) => options),
          leewaySeconds: settings.leewaySeconds,
          jwksCacheTtlSeconds: settings.jwksCacheSeconds,
          // Which issuer's applications are let in is decided per issuer, in authenticate.
          allowApps: true,
          onEvent: (event) => log.info({ event }, "auth"),
        });
  return {
    settings,
    authenticate: createAuthenticate({ settings, verifier, findKey }),
    forwarding: createForward({
      models: settings.models,
      env,
      log,
      bedrock: settings.file.bedrock,
      billing: settings.file.billing,
      router: settings.file.router_settings,
      dropParams: settings.file.litellm_settings.drop_params,
    }),
    limiter,
    findPrice: createPrices(settings.prices),
    entitlements: createEntitlements(settings.policy, settings.limits),
    signIn: settings.signIn === undefined ? undefined : createSignIn(settings.signIn),
    keysReady: async () => verifier?.ready(),
  };
}
