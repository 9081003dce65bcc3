import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Kysely, sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type PostgresServer, startPostgres } from "../testing/postgres.ts";
import { databaseContract } from "./database.contract.ts";
import { openDatabase } from "./database.ts";
import { openPool, postgresDialect } from "./postgres.ts";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

/** A way to a server whose connections can go silent without ending; those that are made later are well. */
async function createWay(to: number) {
  const open = new Set<{ readonly ends: readonly Socket[]; silent: boolean }>();
  const way = createServer((near) => {
    const far = connect(to, "127.0.0.1");
    const pair = { ends: [near, far], silent: false };
    open.add(pair);
    for (const [from, into] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on("error", () => {});
      from.on("data", (data) => pair.silent || into.write(data));
      from.on("close", () => pair.silent || into.destroy());
    }
  });
  await new Promise<void>((resolve) => way.listen(0, "127.0.0.1", resolve));
  return {
    port: (way.address() as AddressInfo).port,
    silence: () => {
      for (const pair of open) pair.silent = true;
    },
    close: () => {
      way.close();
      for (const { ends } of open) for (const end of ends) end.destroy();
    },
  };
}

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

  test("whose connections go silent is used again over new ones: after a failover nobody closes the old", async () => {
    const way = await createWay(server.port);
    const url = (await server.createDatabase()).replace(`:${server.port}/`, `:${way.port}/`);
    const pool = openPool({ url, maxConnections: 3, queryMs: 500 });
    const kysely = new Kysely<unknown>({ dialect: postgresDialect(pool) });
    const ask = () => sql`select pg_sleep(0.05)`.execute(kysely);
    await Promise.all([ask(), ask(), ask()]);
    way.silence();
    const failed = await Promise.allSettled([ask(), ask(), ask()]);
    expect(failed).toMatchObject(Array(3).fill({ status: "rejected", reason: { error: "store_unavailable" } }));
    await Promise.all([ask(), ask(), ask()]);
    await kysely.destroy();
    way.close();
  });

  test("that ends a connection between two statements of a transaction fails the transaction, and not the process", async () => {
    const url = await server.createDatabase();
    const database = await openDatabase({ url, dataDir: "", file: "" });
    const other = await openDatabase({ url, dataDir: "", file: "" });
    const broken = database.kysely.transaction().execute(async (transaction) => {
      const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(transaction);
      await sql`select pg_terminate_backend(${rows[0]?.pid})`.execute(other.kysely);
      await sleep(100);
      await sql`select 1`.execute(transaction);
    });
    await expect(broken).rejects.toMatchObject({ error: "store_unavailable" });
    await database.ready();
    await Promise.all([database.close(), other.close()]);
  });

  test("that gives up a statement for its time or for a lock is out of reach for the moment", async () => {
    const database = await openDatabase({ url: await server.createDatabase(), dataDir: "", file: "" });
    const within = (setting: string, statement: string) =>
      database.kysely.transaction().execute(async (transaction) => {
        await sql.raw(`set local ${setting}`).execute(transaction);
        await sql.raw(statement).execute(transaction);
      });
    const away = { status: 503, error: "store_unavailable" };
    await expect(within("statement_timeout = 20", "select pg_sleep(1)")).rejects.toMatchObject(away);
    await expect(within("transaction_read_only = on", "create table a (n integer)")).rejects.toMatchObject(away);
    await sql`create table a (n integer)`.execute(database.kysely);
    await database.kysely.transaction().execute(async (transaction) => {
      await sql`lock table a in access exclusive mode`.execute(transaction);
      await expect(within("lock_timeout = 20", "select n from a")).rejects.toMatchObject(away);
    });
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
