import type { Logger } from "@onbehalf/service-kit";
import { createVerifier, type Verifier } from "@onbehalf/shared-auth";
import { sweepHandovers } from "./apps/handover.ts";
import type { LaunchpadConfig } from "./config.ts";
import { type DiscoveryOptions, discover } from "./login/discovery.ts";
import { createProvider, type Provider } from "./login/provider.ts";
import type { ProviderConfig } from "./providers-config.ts";
import { openStores, type Stores } from "./stores.ts";
import { createVoicebox, type Voicebox } from "./voicebox.ts";

/** Everything outside this process that it holds on to. */
export interface Resources {
  readonly stores: Stores;
  readonly providers: readonly Provider[];
  /** Undefined when the public API takes no users' tokens. */
  readonly verifier: Verifier | undefined;
  readonly voicebox: Voicebox;
  close(): Promise<void>;
}

/** How often ended sessions, and new keys nobody looked at, are removed from SQL. */
const sweepMs = 120_000;

/** Opens them; what cannot be reached yet is tried again in the background. @throws ConfigError */
export async function openResources(config: LaunchpadConfig, log: Logger): Promise<Resources> {
  const stores = await openStores(config, (error) => log.warn({ err: error }, "store connection broke"));
  try {
    const providers = await openProviders(config, log);
    const voicebox = createVoicebox(config.voicebox);
    const sweeping = setInterval(() => sweep(stores, log), sweepMs).unref();
    return {
      stores,
      providers,
      verifier: apiVerifier(config),
      voicebox,
      async close() {
        clearInterval(sweeping);
        for (const provider of providers) provider.close();
        await voicebox.close();
        await stores.close();
      },
    };
  } catch (error) {
    await stores.close();
    throw error;
  }
}

/** @throws Error for one that a session still names and the configuration has no more */
export function providerOf(providers: readonly Provider[], id: string): Provider {
  const found = providers.find(({ config }) => config.id === id);
  if (found === undefined) throw new Error(`the login provider ${id} is not configured any more`);
  return found;
}

async function openProviders(config: LaunchpadConfig, log: Logger): Promise<readonly Provider[]> {
  const open = async (provider: ProviderConfig): Promise<Provider> => {
    const facts = { provider: provider.id, issuer: provider.issuer };
    const onEvent: DiscoveryOptions["onEvent"] = ({ name, error }) =>
      log[name === "found" ? "info" : "warn"]({ ...facts, err: error }, `login provider ${name}`);
    return createProvider(provider, await discover(provider, { onEvent }));
  };
  return Promise.all(config.providers.map(open));
}

function apiVerifier({ api }: LaunchpadConfig): Verifier | undefined {
  if (!api.jwtEnabled) return undefined;
  const { audience, requiredScopes } = api;
  return createVerifier({
    issuers: api.issuers.map(({ issuer, jwksUri }) => ({ issuer, jwksUri, audience, requiredScopes })),
  });
}

function sweep({ sessions, database }: Stores, log: Logger): void {
  const now = Math.floor(Date.now() / 1000);
  Promise.all([sessions.sweep(now), sweepHandovers(database, now)]).catch((error: unknown) =>
    log.warn({ err: error }, "ended sessions were not removed"),
  );
}
