import fc from "fast-check";
import { expect, test } from "vitest";
import { createGauge, endLease, endOverdue, type Lease, takeLease } from "./gauge.ts";

/** So short that a lease is often looked at in the very moment it ends. */
const lifeMs = 6;

/** What happens to a gauge: the clock goes on, somebody takes a place, or gives one of those taken so far back. */
const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant("pass" as const), ms: fc.integer({ min: 0, max: 4 }) }),
    fc.record({ kind: fc.constant("take" as const) }),
    fc.record({ kind: fc.constant("end" as const), which: fc.nat(30) }),
  ),
  { maxLength: 200 },
);

test("a gauge holds exactly the leases that were neither given back nor over, oldest first", () => {
  fc.assert(
    fc.property(steps, (taken) => {
      const gauge = createGauge();
      const all: Lease[] = [];
      let held: Lease[] = [];
      let at = 0;
      for (const step of taken) {
        if (step.kind === "pass") at += step.ms;
        endOverdue(gauge, at);
        held = held.filter(({ endsAt }) => endsAt > at);
        if (step.kind === "take") {
          const lease = takeLease(gauge, at + lifeMs);
          all.push(lease);
          held.push(lease);
        }
        const ended = step.kind === "end" ? all[step.which % Math.max(1, all.length)] : undefined;
        if (ended !== undefined) endLease(ended);
        held = held.filter((lease) => lease !== ended);
        expect(gauge.held).toBe(held.length);
        expect(inOrder(gauge.oldest, "newer")).toEqual(held);
        expect(inOrder(gauge.newest, "older")).toEqual(held.toReversed());
      }
      const over = all.filter((lease) => !held.includes(lease));
      expect(over.every(({ gauge: its, older, newer }) => !its && !older && !newer)).toBe(true);
    }),
  );
});

function inOrder(first: Lease | undefined, next: "newer" | "older"): readonly Lease[] {
  const found: Lease[] = [];
  for (let lease = first; lease !== undefined; lease = lease[next]) found.push(lease);
  return found;
}
