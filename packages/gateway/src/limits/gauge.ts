/** How many hold a place at once. */
export interface Gauge {
  held: number;
  oldest: Lease | undefined;
  newest: Lease | undefined;
}

/** A place in a gauge: given back by hand, or over by itself at its end. */
export interface Lease {
  /** Undefined once it has ended. */
  gauge: Gauge | undefined;
  readonly endsAt: number;
  older: Lease | undefined;
  newer: Lease | undefined;
}

export function createGauge(): Gauge {
  return { held: 0, oldest: undefined, newest: undefined };
}

/**
 * All leases of a gauge last equally long, so a list in the order of their beginning is one in the order of their ends.
 * It is linked by hand: in a `Map` through which thousands pass in a second, each table V8 outgrows keeps the next alive
 * (see `createRoster` in service-kit).
 */
export function takeLease(gauge: Gauge, endsAt: number): Lease {
  const { newest } = gauge;
  const lease: Lease = { gauge, endsAt, older: newest, newer: undefined };
  if (newest === undefined) gauge.oldest = lease;
  else newest.newer = lease;
  gauge.newest = lease;
  gauge.held += 1;
  return lease;
}

/** Once: what has ended ends nothing more. */
export function endLease(lease: Lease): void {
  const { gauge, older, newer } = lease;
  if (gauge === undefined) return;
  if (older === undefined) gauge.oldest = newer;
  else older.newer = newer;
  if (newer === undefined) gauge.newest = older;
  else newer.older = older;
  gauge.held -= 1;
  // It knows nobody any more, or the ended would keep each other in memory.
  lease.gauge = undefined;
  lease.older = undefined;
  lease.newer = undefined;
}

/** Ends what nobody gave back in time. */
export function endOverdue(gauge: Gauge, at: number): void {
  while (gauge.oldest !== undefined && gauge.oldest.endsAt <= at) endLease(gauge.oldest);
}
