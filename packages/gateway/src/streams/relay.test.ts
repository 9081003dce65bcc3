import type { ServerResponse } from "node:http";
import { ClientGone } from "@onbehalf/service-kit";
import type { Dispatcher } from "undici";
import { expect, test, vi } from "vitest";
import type { ForwardContext } from "../call.ts";
import type { Exchange } from "../upstreams/exchange.ts";
import { createDrains, type Drains } from "./drains.ts";
import { type RelayRequest, relay } from "./relay.ts";

/** An upstream that is asked, and does nothing until the test says so. */
function stage(signal: AbortSignal, drains: Drains | undefined) {
  const asked: Dispatcher.DispatchHandler[] = [];
  const dispatcher = { dispatch: (_: object, handler: Dispatcher.DispatchHandler) => asked.push(handler) };
  const forever = 600_000;
  const request: RelayRequest = {
    dispatcher: dispatcher as never,
    path: "/",
    headers: {},
    exchange: { method: "POST", body: "{}" } as unknown as Exchange,
    errorOf: () => {
      throw new Error("no answer came");
    },
    limits: { firstByteMs: forever, idleMs: forever, totalMs: forever, keepAliveMs: forever },
    drains,
  };
  const context = { signal, outgoing: {} as ServerResponse, headers: {} } as unknown as ForwardContext;
  return { asked, result: relay(request, context) };
}

const aborted = { kind: "sent", outcome: "aborted", firstByteAt: undefined };

test("a client that has left before its call is made costs no call, and nobody waits for an answer", async () => {
  const { asked, result } = stage(AbortSignal.abort(new ClientGone()), createDrains(600_000));
  expect(await result).toMatchObject(aborted);
  expect(asked).toEqual([]);
});

test("a client that leaves while a connection is looked for leaves no call behind", async () => {
  const client = new AbortController();
  const { asked, result } = stage(client.signal, undefined);
  client.abort(new ClientGone());
  expect(await result).toMatchObject(aborted);
  const controller = { abort: vi.fn(), pause: vi.fn(), resume: vi.fn() };
  asked[0]?.onRequestStart?.(controller as never, {});
  expect(controller.abort).toHaveBeenCalledOnce();
});

test.each([
  ["while the process goes", true, 1],
  ["before that", false, 0],
] as const)("a client that leaves %s has its answer read on for accordingly", (_, over, aborts) => {
  const client = new AbortController();
  const drains = createDrains(600_000);
  const { asked, result } = stage(client.signal, drains);
  const controller = { abort: vi.fn(), pause: vi.fn(), resume: vi.fn() };
  asked[0]?.onRequestStart?.(controller as never, {});
  if (over) drains.cutAll();
  client.abort(new ClientGone());
  expect(controller.abort).toHaveBeenCalledTimes(aborts);
  drains.cutAll();
  expect(controller.abort).toHaveBeenCalledOnce();
  return expect(result).resolves.toMatchObject(aborted);
});
