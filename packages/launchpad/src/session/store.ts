import type { Lease, Lifetime } from "@onbehalf/service-kit";

/** A session as a store keeps it: everything that names or authenticates somebody is inside `sealed`. */
export interface StoredSession {
  readonly id: string;
  /** Digest of issuer and subject. */
  readonly owner: string;
  /** Digest of issuer and `sid`; undefined when the provider gives none. */
  readonly providerSession: string | undefined;
  readonly createdAt: number;
  readonly lastSeenAt: number;
  readonly expiresAt: number;
  readonly generation: number;
  readonly sealed: string;
}

/**
 * Where sessions live. Memory, SQLite, Postgres and Redis pass one contract suite. Times are seconds since the epoch
 * and given by the caller; every method rejects when the store cannot be reached.
 */
export interface SessionStore {
  create(session: StoredSession): Promise<void>;
  find(id: string): Promise<StoredSession | undefined>;
  /** Writes `sealed` and `generation` if the stored generation is the one before; false when it is not, or gone. */
  replace(session: StoredSession): Promise<boolean>;
  touch(id: string, lastSeenAt: number): Promise<void>;
  remove(id: string): Promise<void>;
  ofOwner(owner: string): Promise<readonly StoredSession[]>;
  /** How many were removed. */
  removeOwner(owner: string): Promise<number>;
  removeProviderSession(providerSession: string): Promise<number>;
  /** A lock over one session, held by one holder in all replicas; it ends by itself. Undefined: another holds it. */
  lease(id: string, lifetime: Lifetime): Promise<Lease | undefined>;
  /** Removes what has ended; how many. */
  sweep(now: number): Promise<number>;
  ping(): Promise<void>;
  close(): Promise<void>;
}
