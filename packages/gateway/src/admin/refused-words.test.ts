import { afterAll, beforeAll, expect, test } from "vitest";
import { masterKey, startTestGateway, type TestGateway } from "../testing/gateway.ts";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway({ env: { LITELLM_MASTER_KEY: masterKey } });
});
afterAll(() => gateway.close());

test.each([
  ["/spend/logs?start_date=2026-02-30", "start_date", "expected a day of the calendar"],
  ["/spend/report?until=yesterday", "until", "2026-11-23T08:00:00Z"],
  ["/audit/events?from=23.11.2026", "from", "expected a day of the calendar"],
])("%s is told what a time looks like", async (path, field, words) => {
  const { status, text } = await gateway.call(path, { token: masterKey });
  expect(status).toBe(400);
  expect(text).toContain(field);
  expect(text).toContain(words);
});

test.each([{ max_budget: 0 }, { soft_budget: -1 }])(
  "a budget of %o is told how a key is kept from spending",
  async (body) => {
    const { status, text } = await gateway.call("/key/generate", { token: masterKey, body });
    expect(status).toBe(400);
    expect(text).toContain("blocked: true");
  },
);
