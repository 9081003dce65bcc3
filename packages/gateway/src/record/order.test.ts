import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openGatewayDatabase } from "../sql/open.ts";
import { startTestGateway, type TestGateway } from "../testing/gateway.ts";

let gateway: TestGateway;
beforeEach(async () => {
  gateway = await startTestGateway();
});
afterEach(() => gateway.close());

test("ids of rows, and of traces that begin here, are in the order of time, so that indices grow at their ends", async () => {
  const token = await gateway.token();
  // Within a millisecond there is no order.
  const chat = async (): Promise<void> => {
    await sleep(2);
    expect((await gateway.chat(token)).status).toBe(200);
  };
  const given = "ffffffffffffffffffffffffffffffff";
  for (let index = 0; index < 5; index += 1) await chat();
  const traceparent = `00-${given}-00f067aa0ba902b7-01`;
  await sleep(2);
  await gateway.call("/v1/models", { token, headers: { traceparent } });
  for (let index = 0; index < 5; index += 1) await chat();
  expect(await gateway.gateway.flush(10_000)).toBe(true);
  const database = await openGatewayDatabase({ url: undefined, dataDir: gateway.dataDir });
  const rows = await database.kysely.selectFrom("request_logs").selectAll().orderBy("writer_seq").execute();
  await database.close();
  expect(rows).toHaveLength(11);
  const ids = rows.map(({ id }) => id);
  expect(ids.toSorted()).toEqual(ids);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const traces = rows.map(({ trace_id: id }) => id);
  // The caller's own trace goes on as it came.
  expect(traces.splice(5, 1)).toEqual([given]);
  expect(traces.toSorted()).toEqual(traces);
  const times = rows.map(({ request_time: time }) => String(time));
  expect(times.toSorted()).toEqual(times);
  const startedMs = (hex: string): number => Number.parseInt(hex.replace("-", "").slice(0, 12), 16);
  for (const { id, request_time: time } of rows) {
    expect(Math.abs(startedMs(id) - Date.parse(String(time)))).toBeLessThan(1_000);
  }
});
