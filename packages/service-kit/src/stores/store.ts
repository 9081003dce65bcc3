/** Required of everything that is stored: nothing stays for good. */
export interface Lifetime {
  /** Whole seconds, at least 1; the entry is gone afterwards. */
  readonly ttlSeconds: number;
}

/**
 * Short-lived state that all replicas of a service share: sessions, one-time values, cached tokens. Every operation
 * is atomic. Keys and values may be secrets: the store never writes them where they can be read.
 * @throws StoreUnavailable when the store cannot be reached in time
 */
export interface KeyValueStore {
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string, lifetime: Lifetime): Promise<void>;
  /** Sets only what is absent: true for the one caller who was first. */
  add(key: string, value: string, lifetime: Lifetime): Promise<boolean>;
  /** Compare and set: false when the value is no longer the expected one. */
  replace(key: string, expected: string, value: string, lifetime: Lifetime): Promise<boolean>;
  /** Reads and removes: only one caller gets a one-time value. */
  take(key: string): Promise<string | undefined>;
  /** True when there was something to delete. */
  delete(key: string): Promise<boolean>;
  /** Holds a name for a while; undefined when somebody else does. Ends by itself after `ttlSeconds`. */
  lease(name: string, lifetime: Lifetime): Promise<Lease | undefined>;
  /** Sets of short texts, for example the sessions of one user. Each member lives `ttlSeconds` from its last add. */
  addMember(key: string, member: string, lifetime: Lifetime): Promise<void>;
  removeMember(key: string, member: string): Promise<void>;
  members(key: string): Promise<readonly string[]>;
  /** Rejects while the store cannot be reached: for readiness. */
  ready(): Promise<void>;
  close(): Promise<void>;
}

/** A name that nobody else holds now. */
export interface Lease {
  /** Gives the name back, unless it has passed to somebody else meanwhile. */
  release(): Promise<void>;
}

/** Beyond this, the members that end first make room. */
export const maxMembers = 1_000;
