import { type Kysely, sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type PostgresServer, startPostgres } from "../testing/postgres.ts";
import { databaseContract } from "./database.contract.ts";
import { openDatabase } from "./database.ts";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

describe("Postgres", () => {
  databaseContract(async () => ({ url: await server.createDatabase() }));

  test("that goes away and comes back is used again, without a new start of the service", async () => {
    const errors: Error[] = [];
    const url = await server.createDatabase();
    const database = await openDatabase({
      url,
      dataDir: "",
      file: "",
      onConnectionError: (error) => errors.push(error),
    });
    await database.ready();
    await server.down();
    await expect(database.ready()).rejects.toMatchObject({ error: "store_unavailable", retryAfterSeconds: 2 });
    expect(errors.length).toBeGreaterThan(0);
    await server.up();
    await database.ready();
    await database.close();
  });

  test("bounds every statement, and every transaction that does nothing", async () => {
    const database = await openDatabase({ url: await server.createDatabase(), dataDir: "", file: "" });
    const show = async (name: string) => (await sql.raw(`show ${name}`).execute(database.kysely)).rows;
    expect(await show("statement_timeout")).toEqual([{ statement_timeout: "10s" }]);
    expect(await show("idle_in_transaction_session_timeout")).toEqual([{ idle_in_transaction_session_timeout: "10s" }]);
    await database.close();
  });

  test("takes migrations that last longer than a query may", async () => {
    const database = await openDatabase({ url: await server.createDatabase(), dataDir: "", file: "" });
    let limit: unknown;
    const up = async (kysely: Kysely<unknown>) => {
      limit = (await sql`show statement_timeout`.execute(kysely)).rows;
    };
    await database.migrate("a", [{ name: "1", up }]);
    expect(limit).toEqual([{ statement_timeout: "5min" }]);
    await database.close();
  });

  test("that is closed without having been used leaves no connection", async () => {
    const database = await openDatabase({ url: await server.createDatabase(), dataDir: "", file: "" });
    await database.close();
  });
});
