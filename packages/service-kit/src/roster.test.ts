import fc from "fast-check";
import { expect, test } from "vitest";
import { createRoster, type Place } from "./roster.ts";

test("whoever came and has not left is there, whatever the order", () => {
  const steps = fc.array(fc.oneof(fc.constant({ come: true }), fc.record({ leave: fc.nat(30) })), { maxLength: 200 });
  fc.assert(
    fc.property(steps, (taken) => {
      const roster = createRoster<number>();
      const expected = new Map<number, Place<number>>();
      let next = 0;
      for (const step of taken) {
        if ("come" in step) {
          expected.set(next, roster.add(next));
          next += 1;
          continue;
        }
        const [member, place] = [...expected][step.leave % Math.max(1, expected.size)] ?? [];
        if (member === undefined || place === undefined) continue;
        roster.remove(place);
        // Leaving twice takes nobody else's place.
        roster.remove(place);
        expected.delete(member);
      }
      const present: number[] = [];
      roster.each((member) => present.push(member));
      expect(present.toSorted((left, right) => left - right)).toEqual([...expected.keys()]);
      expect(roster.size).toBe(expected.size);
    }),
  );
});

test("all are visited though each leaves when it is", () => {
  const roster = createRoster<() => void>();
  let visits = 0;
  for (let index = 0; index < 10; index += 1) {
    const place = roster.add(() => {
      visits += 1;
      roster.remove(place);
    });
  }
  roster.each((leave) => leave());
  expect([visits, roster.size]).toEqual([10, 0]);
});
