import { openDatabase } from "@onbehalf/service-kit";
import { startPostgres } from "@onbehalf/service-kit/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LaunchpadTables, migrations } from "../schema.ts";
import { appSettings } from "./app.ts";
import { type AppManagement, appRequest, createAppManagement, keyRequest } from "./manage.ts";
import { createAppRegistry } from "./registry.ts";
import { sqlAppStore } from "./store-sql.ts";

// Postgres holds any text but this character, and says so with an error of its own.
const odd = "a\u0000";
const settings = appSettings.parse({ name: "Reports", connection: "c", database: "d" });

let management: AppManagement;
let close: () => Promise<void>;
beforeAll(async () => {
  const server = await startPostgres();
  const database = await openDatabase<LaunchpadTables>({ url: server.url, dataDir: "unused", file: "unused" });
  await database.migrate("launchpad", migrations);
  const store = sqlAppStore(database);
  management = createAppManagement(createAppRegistry({ apps: [], keys: [] }, store), store);
  await management.create(settings, "carol");
  close = async () => {
    await database.close();
    await server.stop();
  };
});
afterAll(() => close?.());

describe("text that a database cannot hold", () => {
  it("is no application's id", async () => {
    const key = keyRequest.parse({ name: "k" });
    for (const refused of [
      () => management.update(odd, settings),
      () => management.remove(odd),
      () => management.createKey(odd, key, "carol"),
      () => management.setKeyDisabled(odd, "k", true),
    ]) {
      await expect(refused()).rejects.toMatchObject({ status: 404, error: "app_unknown" });
    }
  });

  it("is no key's id", async () => {
    const replacing = keyRequest.parse({ name: "k", replaces: odd });
    for (const refused of [
      () => management.setKeyDisabled("reports", odd, true),
      () => management.removeKey("reports", odd),
      () => management.createKey("reports", replacing, "carol"),
    ]) {
      await expect(refused()).rejects.toMatchObject({ status: 404, error: "key_unknown" });
    }
  });

  it.each([odd, "two\nlines", "half a \ud800"])("is no name: %j", (name) => {
    for (const refused of [keyRequest.safeParse({ name }), appRequest.safeParse({ ...settings, name })]) {
      expect(refused.error?.issues).toMatchObject([{ path: ["name"], message: expect.stringContaining("control") }]);
    }
    expect(keyRequest.parse({ name: " Büro 東京 🔑 " }).name).toBe("Büro 東京 🔑");
  });
});
