import { expect, test } from "vitest";
import { unlessAborted } from "./abort.ts";

const never = () => new Promise<never>(() => undefined);

test("a signal that was aborted before is heeded as well", async () => {
  await expect(unlessAborted(never(), AbortSignal.abort(new Error("gone")))).rejects.toThrow("gone");
});

test("work that fails after its caller left fails in silence", async () => {
  const controller = new AbortController();
  const work = Promise.withResolvers<never>();
  const waiting = unlessAborted(work.promise, controller.signal);
  controller.abort(new Error("gone"));
  await expect(waiting).rejects.toThrow("gone");
  // Were it not handled, the runner would report it.
  work.reject(new Error("late"));
  await new Promise((next) => setImmediate(next));
});

test("what is done in time is handed on, and the signal is let go", async () => {
  const { signal } = new AbortController();
  expect(await unlessAborted(Promise.resolve(1), signal)).toBe(1);
  expect(await unlessAborted(Promise.resolve(2), undefined)).toBe(2);
});
