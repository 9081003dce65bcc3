import { expect, test } from "vitest";
import { createRenewing, type Lent } from "./renewing.ts";

const minute = 60_000;

/** A source whose answers the test gives, and a clock it sets. */
function setUp() {
  const asked: PromiseWithResolvers<Lent>[] = [];
  const clock = { now: 0 };
  const renewing = createRenewing(
    () => {
      const answer = Promise.withResolvers<Lent>();
      asked.push(answer);
      return answer.promise;
    },
    { wallMs: () => clock.now, attemptMs: 50 },
  );
  const lend = async (name: string, endsAt: number | undefined): Promise<void> => {
    asked.at(-1)?.resolve({ credentials: { accessKeyId: name, secretAccessKey: "s" }, endsAt });
    await settled();
  };
  const fail = async (): Promise<void> => {
    asked.at(-1)?.reject(new Error("away"));
    await settled();
  };
  return { asked, clock, lend, fail, renewing };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));
const named = (accessKeyId: string) => expect.objectContaining({ accessKeyId });

test("all who wait share one attempt", async () => {
  const { asked, lend, renewing } = setUp();
  const waiting = Array.from({ length: 50 }, () => renewing.get());
  await lend("one", 60 * minute);
  expect(await Promise.all(waiting)).toEqual(Array(50).fill(named("one")));
  expect(asked).toHaveLength(1);
  expect(renewing.get()).toEqual(named("one"));
});

test("nobody waits for others while there are some that hold", async () => {
  const { asked, clock, lend, renewing } = setUp();
  renewing.get();
  await lend("one", 60 * minute);
  clock.now = 55 * minute - 1;
  renewing.get();
  expect(asked).toHaveLength(1);
  clock.now = 56 * minute;
  for (let calls = 0; calls < 20; calls += 1) expect(renewing.get()).toEqual(named("one"));
  expect(asked).toHaveLength(2);
  await lend("two", 120 * minute);
  expect(renewing.get()).toEqual(named("two"));
});

test("a source that is away fails no call before the end, is asked again after a rest, and fails them then", async () => {
  const { asked, clock, fail, renewing, lend } = setUp();
  renewing.get();
  await lend("one", 60 * minute);
  clock.now = 56 * minute;
  expect(renewing.get()).toEqual(named("one"));
  await fail();
  expect(renewing.get()).toEqual(named("one"));
  expect(asked).toHaveLength(2);
  clock.now += 11_000;
  expect(renewing.get()).toEqual(named("one"));
  expect(asked).toHaveLength(3);
  await fail();
  clock.now = 60 * minute - 10_000;
  const refused = expect(renewing.get()).rejects.toThrow("away");
  await fail();
  await refused;
  const again = renewing.get();
  await lend("two", 120 * minute);
  expect(await again).toEqual(named("two"));
});

test("what lasts shorter than the time before its end is used, and not fetched for each call", async () => {
  const { asked, clock, lend, renewing } = setUp();
  renewing.get();
  await lend("short", 2 * minute);
  for (let calls = 0; calls < 20; calls += 1) expect(renewing.get()).toEqual(named("short"));
  expect(asked).toHaveLength(1);
  clock.now = 20_000;
  renewing.get();
  expect(asked).toHaveLength(2);
});

test("a source that does not answer is not waited for, and asked again", async () => {
  const { asked, lend, renewing } = setUp();
  await expect(renewing.get()).rejects.toMatchObject({
    code: "upstream_unavailable",
    cause: expect.stringContaining("0.05 s"),
  });
  const again = renewing.get();
  expect(asked).toHaveLength(2);
  await lend("late", undefined);
  expect(await again).toEqual(named("late"));
});

test("what AWS takes no more is forgotten, also when it names no end", async () => {
  const { asked, lend, renewing } = setUp();
  renewing.get();
  await lend("one", undefined);
  expect(renewing.get()).toEqual(named("one"));
  renewing.forget();
  const other = renewing.get();
  await lend("two", undefined);
  expect(await other).toEqual(named("two"));
  expect(asked).toHaveLength(2);
});
