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

type KeySet = oidc.ExportedJWKSCache["jwks"];

interface FreshKeysOptions {
  /** Makes a configuration with nothing cached. */
  readonly create: () => oidc.Configuration;
  /** The provider's keys as they are now. @throws HttpError 503 when they cannot be had */
  readonly load: () => Promise<KeySet>;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/**
 * A sign-in has one try: its code is spent when the ID token turns out to be signed by a key of the last minute. So
 * each use gets a configuration of its own, whose copy of the keys says that it is old enough to be asked for again.
 * Nor is a code or a refresh token spent while there are no keys for what it would bring.
 */
export function withFreshKeys({ create, load, now = Date.now }: FreshKeysOptions): WithFreshKeys {
  let kept: oidc.ExportedJWKSCache | undefined;
  let loading: Promise<oidc.ExportedJWKSCache> | undefined;

  async function loaded(): Promise<oidc.ExportedJWKSCache> {
    const jwks = await load();
    kept = { jwks, uat: Math.floor(now() / 1000) };
    return kept;
  }
  /** Asked for once, whoever waits. */
  function oneFlight(): Promise<oidc.ExportedJWKSCache> {
    loading ??= loaded().finally(() => {
      loading = undefined;
    });
    return loading;
  }
  const seen = (keys: oidc.ExportedJWKSCache | undefined): oidc.ExportedJWKSCache | undefined =>
    keys === undefined ? undefined : aged(keys, Math.floor(now() / 1000));

  return async (use) => {
    const server = create();
    const given = seen(kept) ?? seen(await oneFlight());
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
