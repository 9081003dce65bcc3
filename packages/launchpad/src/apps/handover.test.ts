import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDatabase } from "@onbehalf/service-kit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type LaunchpadDatabase, type LaunchpadTables, migrations } from "../schema.ts";
import { createSeal } from "../session/seal.ts";
import { createHandover, type Handover, handoverSeconds, sweepHandovers } from "./handover.ts";

const seal = createSeal("a-secret-of-this-test-that-is-long-enough", "handover");
const made = { appId: "reports", name: "laptop", key: "obk_something-secret" };

describe("a new key on its way to the page that shows it", () => {
  let dataDir: string;
  let databases: readonly LaunchpadDatabase[];
  let replicas: readonly [Handover, Handover];
  let clock = 0;
  beforeEach(async () => {
    clock = Date.parse("2026-01-01T00:00:00Z");
    dataDir = await mkdtemp(join(tmpdir(), "onbehalf-handover-"));
    const open = () => openDatabase<LaunchpadTables>({ dataDir, file: "launchpad.sqlite" });
    const [one, other] = [await open(), await open()];
    await one.migrate("launchpad", migrations);
    databases = [one, other];
    replicas = [createHandover(one, seal, () => clock), createHandover(other, seal, () => clock)];
  });
  afterEach(async () => {
    for (const database of databases) await database.close();
    await rm(dataDir, { recursive: true });
  });

  it("is handed over once, by whichever replica is asked, and not a second time", async () => {
    const id = await replicas[0].leave("session-a", made);
    expect(id).toMatch(/^[A-Za-z0-9_-]{43}$/);
    const taken = await Promise.all([replicas[1].take("session-a", id), replicas[0].take("session-a", id)]);
    expect(taken.filter((key) => key !== undefined)).toEqual([made]);
    expect(await replicas[0].take("session-a", id)).toBeUndefined();
  });

  it("is for the session that made it, and a stranger's try does not take it away", async () => {
    const id = await replicas[0].leave("session-a", made);
    expect(await replicas[0].take("session-b", id)).toBeUndefined();
    expect(await replicas[0].take("session-a", "made-up")).toBeUndefined();
    expect(await replicas[0].take("session-a", id)).toEqual(made);
  });

  it("is gone when nobody came in time", async () => {
    const id = await replicas[0].leave("session-a", made);
    clock += handoverSeconds * 1000;
    expect(await replicas[0].take("session-a", id)).toBeUndefined();
    await replicas[0].leave("session-a", made);
    clock += handoverSeconds * 1000;
    const [database] = databases as readonly [LaunchpadDatabase];
    expect(await sweepHandovers(database, clock / 1000 - 1)).toBe(0);
    expect(await sweepHandovers(database, clock / 1000)).toBe(1);
  });

  it("lies there sealed, and does not open with another secret", async () => {
    const id = await replicas[0].leave("session-a", made);
    const rows = JSON.stringify(await databases[0]?.kysely.selectFrom("launchpad_handovers").selectAll().execute());
    for (const word of [made.key, made.name, id, "session-a"]) expect(rows).not.toContain(word);
    const stranger = createHandover(
      databases[1] as LaunchpadDatabase,
      createSeal("x".repeat(40), "handover"),
      () => clock,
    );
    expect(await stranger.take("session-a", id)).toBeUndefined();
  });
});
