import { within } from "@onbehalf/service-kit";
import type { Check } from "./api/below.ts";
import type { Resources } from "./resources.ts";

/** How long a part may take to say that it is alive, in milliseconds. */
const patienceMs = 3000;

/** Looks at this service's own parts: the login providers, the keys for the public API, the stores, Voicebox. */
export function ownChecks({ providers, verifier, stores, voicebox }: Resources): () => Promise<readonly Check[]> {
  const parts: Readonly<Record<string, () => Promise<void> | void>> = {
    ...Object.fromEntries(providers.map((provider) => [`Login (${provider.config.label})`, () => provider.ready()])),
    ...(verifier === undefined ? {} : { "Keys for the API": () => verifier.ready() }),
    Sessions: () => stores.sessions.ping(),
    Launchpad: () => undefined,
    "Way to Voicebox": () => voicebox.ping(),
  };
  return () => Promise.all(Object.entries(parts).map(([name, check]) => look(name, check)));
}

async function look(name: string, check: () => Promise<void> | void): Promise<Check> {
  const startedAt = performance.now();
  const since = (): number => performance.now() - startedAt;
  try {
    const late = () => Promise.reject(new Error(`no answer within ${patienceMs} ms`));
    await within(Promise.resolve(check()), patienceMs, late);
    return { name, status: "ok", reason: null, milliseconds: since() };
  } catch (error) {
    return {
      name,
      status: "down",
      reason: error instanceof Error ? error.message : String(error),
      milliseconds: since(),
    };
  }
}
