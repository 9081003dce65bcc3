import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { type PostgresServer, startPostgres } from "@onbehalf/service-kit/testing";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { openGatewayDatabase } from "../sql/open.ts";
import { issuers, masterKey, models, startTestGateway } from "../testing/gateway.ts";
import { verifyRecord } from "./verify.ts";

let postgres: PostgresServer;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

const run = promisify(execFile);
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe("with PostgreSQL", () => {
  test("away: JWTs go on, unknown keys are 503, no row is lost, and everything comes back by itself", async () => {
    const url = await postgres.createDatabase();
    const gateway = await startTestGateway({ env: { DATABASE_URL: url } });
    const token = await gateway.token();
    const key = (await gateway.call("/key/generate", { token: masterKey, body: {} })).json.key;
    expect((await gateway.chat(token)).status).toBe(200);
    expect((await gateway.chat(key)).status).toBe(200);

    await postgres.down();
    const during = [];
    for (let index = 0; index < 30; index += 1) {
      during.push((await gateway.chat(token)).status);
      await sleep(50);
    }
    expect(new Set(during)).toEqual(new Set([200]));
    const unknown = await gateway.chat(`sk-${"u".repeat(43)}`);
    expect(unknown.status).toBe(503);
    expect(unknown.headers.get("retry-after")).not.toBeNull();
    expect(unknown.json.error.message).toMatch(/JWTs still work/);
    expect((await gateway.chat(key)).status).toBe(503);
    expect((await gateway.chat(masterKey)).status).toBe(200);
    expect((await gateway.call("/audit/events", { token })).status).toBe(503);
    expect((await gateway.call("/system/ready")).json.causes).toHaveProperty("database");
    expect((await gateway.call("/system/health")).status).toBe(204);

    await postgres.up();
    await vi.waitFor(async () => expect((await gateway.chat(key)).status).toBe(200), {
      timeout: 15_000,
      interval: 250,
    });
    await gateway.gateway.close();
    const database = await openGatewayDatabase({ url, dataDir: gateway.dataDir });
    const rows = await database.kysely
      .selectFrom("request_logs")
      .select(["status", "subject"])
      .where("subject", "=", "alice")
      .execute();
    expect(rows.filter(({ status }) => status === 200)).toHaveLength(31);
    expect(await verifyRecord(database)).toMatchObject({ findings: [], lost: [] });
    await database.close();
    await gateway.close();
  });

  test("away from the start: the gateway starts, serves JWTs, and delivers when the database comes", async () => {
    const url = await postgres.createDatabase();
    await postgres.down();
    const yaml = `${issuers}${models}\naccess: { users: { "*": { budget: { usd: 5, period: day } } } }\n`;
    const gateway = await startTestGateway({ yaml, env: { DATABASE_URL: url } });
    const token = await gateway.token();
    expect((await gateway.chat(token)).status).toBe(200);
    expect(gateway.logs.text()).toContain("budget: not checked, the record is away");
    await postgres.up();
    await vi.waitFor(
      async () => {
        const { status, json } = await gateway.call("/audit/events", { token });
        expect(status).toBe(200);
        expect(
          json.events.filter(({ route }: { route: string }) => route === "POST /v1/chat/completions"),
        ).toHaveLength(1);
      },
      { timeout: 15_000, interval: 250 },
    );
    await gateway.close();
  });

  test("a stop while it is away keeps the rows on disk; the next start delivers them", async () => {
    const url = await postgres.createDatabase();
    const first = await startTestGateway({ env: { DATABASE_URL: url, SHUTDOWN_GRACE_SECONDS: "2" } });
    const token = await first.token();
    await postgres.down();
    for (let index = 0; index < 5; index += 1) expect((await first.chat(token)).status).toBe(200);
    await first.gateway.close();
    await postgres.up();
    const { issuer, upstream, dataDir } = first;
    const second = await startTestGateway({ env: { DATABASE_URL: url }, issuer, upstream, dataDir });
    await vi.waitFor(
      async () => {
        const { json } = await second.call("/audit/events", { token });
        expect(
          json.events.filter(({ route }: { route: string }) => route === "POST /v1/chat/completions"),
        ).toHaveLength(5);
      },
      { timeout: 10_000, interval: 200 },
    );
    const database = await openGatewayDatabase({ url, dataDir });
    expect(await verifyRecord(database)).toMatchObject({ findings: [], lost: [] });
    await database.close();
    await second.close();
    await first.close();
  });

  test("busy with many reports about a record that is locked: keys are looked up all the same", async () => {
    const url = await postgres.createDatabase();
    const gateway = await startTestGateway({ env: { DATABASE_URL: url } });
    const key = (await gateway.call("/key/generate", { token: masterKey, body: {} })).json.key;
    const token = await gateway.token();
    const database = await openGatewayDatabase({ url, dataDir: gateway.dataDir });
    const reports = await database.kysely.transaction().execute(async (transaction) => {
      await sql`lock table request_logs in access exclusive mode`.execute(transaction);
      const asked = Array.from({ length: 20 }, () => fetch(`${gateway.url}/user/info`, { headers: bearer(token) }));
      await sleep(4_000);
      expect((await gateway.chat(key)).status).toBe(200);
      return asked;
    });
    await Promise.all(reports);
    await database.close();
    await gateway.close();
  });

  test("so long that the disk's share is used up: refused rather than unrecorded, until it is back", async () => {
    const url = await postgres.createDatabase();
    const yaml = `
issuers: [{ issuer: "{issuer}", audience: llm-gateway }]
model_list: [{ model_name: claude, litellm_params: { model: bedrock/amazon.nova-lite-v1:0, aws_region_name: us-east-1 } }]
record: { max_spool_mb: 0.2 }
`;
    const gateway = await startTestGateway({ yaml, env: { DATABASE_URL: url } });
    const token = await gateway.token();
    expect((await gateway.chat(token)).status).toBe(200);
    await postgres.down();
    await vi.waitFor(
      async () => {
        await Promise.all(Array.from({ length: 50 }, () => gateway.chat(token)));
        expect((await gateway.chat(token)).status).toBe(503);
      },
      { timeout: 15_000, interval: 100 },
    );
    const refused = await gateway.chat(token);
    expect(refused.json.error.message).toMatch(/cannot be recorded right now/);
    expect(refused.headers.get("retry-after")).toBe("5");
    await postgres.up();
    await vi.waitFor(async () => expect((await gateway.chat(token)).status).toBe(200), {
      timeout: 15_000,
      interval: 250,
    });
    await gateway.close();
  });

  test("three replicas that start together migrate once", async () => {
    const env = { DATABASE_URL: await postgres.createDatabase() };
    const gateways = await Promise.all([1, 2, 3].map(() => startTestGateway({ env })));
    for (const gateway of gateways) expect((await gateway.call("/system/ready")).status).toBe(200);
    await Promise.all(gateways.map((gateway) => gateway.close()));
  });

  test("psql shows the guides' query with the users' addresses", async () => {
    const url = await postgres.createDatabase();
    const gateway = await startTestGateway({ env: { DATABASE_URL: url } });
    await gateway.chat(await gateway.token());
    await gateway.call("/audit/events", { token: masterKey });
    const query = `
    SELECT user_id, model, request_time, tokens
    FROM request_logs
    ORDER BY request_time DESC
    LIMIT 10;
  `;
    const { stdout } = await run("psql", ["-X", "--no-align", "--tuples-only", "-c", query, url]);
    expect(stdout).toMatch(/^alice@example\.com\|claude\|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+\+\d\d\|18$/m);
    await gateway.close();
  });
});
