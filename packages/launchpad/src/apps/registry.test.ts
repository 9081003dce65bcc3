import { openDatabase } from "@onbehalf/service-kit";
import { describe, expect, it } from "vitest";
import { type LaunchpadTables, migrations } from "../schema.ts";
import { type App, type AppKey, appSettings } from "./app.ts";
import { createKey } from "./key.ts";
import { createAppManagement, keyRequest } from "./manage.ts";
import { createAppRegistry } from "./registry.ts";
import { sqlAppStore } from "./store-sql.ts";

const settings = appSettings.parse({ name: "Reports", connection: "c", database: "d" });
const fileApp: App = { ...settings, id: "demo", source: "file", isDefault: true, created_by: null, created_at: null };
const made = createKey();
const fileKey: AppKey = {
  id: "file:demo:k",
  app_id: "demo",
  name: "k",
  hint: made.hint,
  hash: made.hash,
  expires_at: null,
  disabled: false,
  created_by: null,
  created_at: null,
  last_used_at: null,
};
const file = { apps: [fileApp], keys: [fileKey] };

async function stage(now = () => Date.parse("2026-01-01T00:00:00Z")) {
  const database = await openDatabase<LaunchpadTables>({ dataDir: "unused", file: ":memory:" });
  await database.migrate("launchpad", migrations);
  const store = sqlAppStore(database);
  const registry = createAppRegistry(file, store, now);
  return { store, registry, management: createAppManagement(registry, store, now), close: () => database.close() };
}

describe("applications of file and database", () => {
  it("are one list; a key leads to its own, and to no other", async () => {
    const { registry, management, close } = await stage();
    const app = await management.create(settings, "carol");
    const key = await management.createKey(app.id, keyRequest.parse({ name: "laptop" }), "carol");
    expect((await registry.list()).map(({ id }) => id)).toEqual(["demo", "reports"]);
    expect((await registry.byKey(key.key))?.app.id).toBe("reports");
    expect((await registry.byKey(made.key))?.app.id).toBe("demo");
    expect(await registry.byKey(createKey().key)).toBeUndefined();
    // Same beginning, other end: the hint finds candidates, the hash decides.
    expect(await registry.byKey(`${key.hint}${"A".repeat(47 - key.hint.length)}`)).toBeUndefined();
    expect(await registry.byKey("' or 1=1 --")).toBeUndefined();
    await close();
  });

  it("keep a key from the file's application of the same id, which is another one", async () => {
    const { registry, store, close } = await stage();
    const other = createKey();
    await store.createApp({ ...fileApp, source: "database", isDefault: false });
    await store.createKey({ ...fileKey, id: "k1", hint: other.hint, hash: other.hash });
    expect(await registry.byKey(other.key)).toBeUndefined();
    expect((await registry.keys("demo")).map(({ id }) => id)).toEqual(["file:demo:k"]);
    expect((await registry.byKey(made.key))?.app.source).toBe("file");
    await close();
  });

  it("note at most once a minute that a key was used", async () => {
    let now = Date.parse("2026-01-01T00:00:00Z");
    const { registry, management, close } = await stage(() => now);
    const app = await management.create(settings, "carol");
    const { key } = await management.createKey(app.id, keyRequest.parse({ name: "laptop" }), "carol");
    const use = async (): Promise<string | null> => {
      const found = await registry.byKey(key);
      if (found !== undefined) await registry.used(found.key);
      return (await registry.keys(app.id))[0]?.last_used_at ?? null;
    };
    expect(await use()).toBe("2026-01-01T00:00:00.000Z");
    now += 30_000;
    expect(await use()).toBe("2026-01-01T00:00:00.000Z");
    now += 31_000;
    expect(await use()).toBe("2026-01-01T00:01:01.000Z");
    await close();
  });

  it("keep their end in UTC, however it was written", () => {
    const end = (expires_at: string) => keyRequest.parse({ name: "a", expires_at }).expires_at;
    expect(end("2030-01-01T02:00:00+02:00")).toBe("2030-01-01T00:00:00.000Z");
    expect(end("2030-01-01T00:00:00+00:00")).toBe("2030-01-01T00:00:00.000Z");
    expect(end("2030-01-01T00:00:00Z")).toBe("2030-01-01T00:00:00.000Z");
    expect(() => end("2030-01-01")).toThrow(/expires_at/);
  });

  it("let a rotated key end after the overlap, but never later than it would have", async () => {
    const { registry, management, close } = await stage(() => Date.parse("2026-01-01T00:00:00Z"));
    const app = await management.create(settings, "carol");
    const soon = await management.createKey(
      app.id,
      keyRequest.parse({ name: "a", expires_at: "2026-01-01T00:00:05Z" }),
      "carol",
    );
    await management.createKey(
      app.id,
      keyRequest.parse({ name: "b", replaces: soon.id, overlap_seconds: 3600 }),
      "carol",
    );
    const ends = (await registry.keys(app.id)).map(({ name, expires_at }) => [name, expires_at]);
    expect(ends).toEqual([
      ["a", "2026-01-01T00:00:05.000Z"],
      ["b", null],
    ]);
    await expect(
      management.createKey(app.id, keyRequest.parse({ name: "c", replaces: "nothing" }), "x"),
    ).rejects.toMatchObject({ status: 404 });
    await close();
  });

  it("are not replaced by one that has ended before it begins: clients would move to a key that opens nothing", async () => {
    const { registry, management, close } = await stage(() => Date.parse("2026-06-01T00:00:00Z"));
    const app = await management.create(settings, "carol");
    const old = await management.createKey(app.id, keyRequest.parse({ name: "old" }), "carol");
    const ended = keyRequest.parse({ name: "new", replaces: old.id, expires_at: "2026-06-01T00:00:00Z" });
    await expect(management.createKey(app.id, ended, "carol")).rejects.toMatchObject({ status: 400 });
    expect(await registry.keys(app.id)).toMatchObject([{ name: "old", expires_at: null }]);
    await close();
  });

  it("give another id to a second one of the same name", async () => {
    const { management, close } = await stage();
    const [first, second] = [await management.create(settings, "x"), await management.create(settings, "x")];
    expect(first.id).toBe("reports");
    expect(second.id).toMatch(/^reports-[0-9a-f]{8}$/);
    await close();
  });

  it("are used without being named only while they are open", async () => {
    const { store, management, close } = await stage();
    const byDefault = (...apps: readonly App[]) =>
      createAppRegistry({ apps, keys: [] }, store, () => Date.parse("2026-01-01T00:00:00Z"))
        .byDefault()
        .then((app) => app?.id);
    const disabled = { ...fileApp, disabled: true };
    const ended = { ...fileApp, expires_at: "2025-12-31T00:00:00.000Z" };
    const forPrograms: App = { ...fileApp, modes: ["jwt"] };
    const other: App = { ...fileApp, id: "other", isDefault: false };
    for (const closed of [disabled, ended, forPrograms]) expect(await byDefault(closed, other)).toBe("other");
    expect(await byDefault({ ...disabled, isDefault: false }, other)).toBe("other");
    expect(await byDefault(other, fileApp)).toBe("demo");
    expect(await byDefault(disabled)).toBe("demo");
    expect(await byDefault()).toBeUndefined();
    await management.create(settings, "carol");
    expect(await byDefault(disabled)).toBe("reports");
    await close();
  });

  it("of the file work while the database is away", async () => {
    const away = () => Promise.reject(new Error("the database is away"));
    const store = new Proxy({} as ReturnType<typeof sqlAppStore>, { get: () => away });
    const registry = createAppRegistry(file, store);
    expect((await registry.byKey(made.key))?.app.id).toBe("demo");
    expect((await registry.byDefault())?.id).toBe("demo");
    await expect(registry.byKey(createKey().key)).rejects.toThrow("away");
  });
});
