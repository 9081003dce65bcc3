import * as oidc from "openid-client";

/** Uses the provider's metadata with keys that are current enough for what `use` verifies. */
export type WithFreshKeys = <T>(use: (server: oidc.Configuration) => Promise<T>) => Promise<T>;

/** Keys are asked for again after so long, so that a removed one does not live on. The library's own figure. */
const maxAgeSeconds = 300;
/**
 * The library looks for an unknown key only when the ones it has are this old. Here nothing speaks for waiting: the ID
 * token came from the provider itself, so nobody else can make us ask again and again.
 */
const libraryPatienceSeconds = 60;

/**
 * A sign-in has one try: its code is spent when the ID token turns out to be signed by a key of the last minute. So
 * each use gets a configuration of its own, whose copy of the keys says that it is old enough to be asked for again.
 * @param create makes a configuration with nothing cached
 */
export function withFreshKeys(create: () => oidc.Configuration, now: () => number = Date.now): WithFreshKeys {
  let kept: oidc.ExportedJWKSCache | undefined;

  return async (use) => {
    const server = create();
    const seconds = Math.floor(now() / 1000);
    const given = kept === undefined ? undefined : aged(kept, seconds);
    if (given !== undefined) oidc.setJwksCache(server, given);
    try {
      return await use(server);
    } finally {
      const after = oidc.getJwksCache(server);
      if (after !== undefined && after.uat !== given?.uat) kept = after;
    }
  };
}

/** Pure: the keys as the library should see them; undefined when they must be loaded anew. */
export function aged(kept: oidc.ExportedJWKSCache, nowSeconds: number): oidc.ExportedJWKSCache | undefined {
  const age = nowSeconds - kept.uat;
  if (age >= maxAgeSeconds || age < 0) return undefined;
  return { jwks: kept.jwks, uat: Math.min(kept.uat, nowSeconds - libraryPatienceSeconds) };
}
