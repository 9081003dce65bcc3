/** The endpoints of an issuer, as counters and faults name them. */
export const endpoints = [
  "authorize",
  "device_authorization",
  "device",
  "token",
  "keys",
  "userinfo",
  "revoke",
  "logout",
  "introspect",
  "discovery",
  "signin",
] as const;

export type Endpoint = (typeof endpoints)[number];

/** How often each endpoint of each issuer was called, for tests that must see no call, or exactly one. */
export interface Calls {
  add(issuer: string, endpoint: Endpoint): void;
  report(): { total: number; calls: Record<string, Partial<Record<Endpoint, number>>> };
  reset(): void;
}

export function createCalls(): Calls {
  let counts: Record<string, Partial<Record<Endpoint, number>>> = {};
  let total = 0;
  return {
    add: (issuer, endpoint) => {
      const before = counts[issuer] ?? {};
      counts[issuer] = { ...before, [endpoint]: (before[endpoint] ?? 0) + 1 };
      total += 1;
    },
    report: () => ({ total, calls: structuredClone(counts) }),
    reset: () => {
      counts = {};
      total = 0;
    },
  };
}
