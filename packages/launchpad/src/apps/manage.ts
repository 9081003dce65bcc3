import { randomBytes } from "node:crypto";
import { HttpError } from "@onbehalf/service-kit";
import { z } from "zod";
import { type App, type AppKey, type AppSettings, appSettings, moment } from "./app.ts";
import { createKey } from "./key.ts";
import type { AppRegistry } from "./registry.ts";
import type { AppStore } from "./store.ts";

/** A name that people read and every database can hold. */
const name = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .refine((given) => given.isWellFormed() && !/\p{Cc}/u.test(given), "must not hold control characters or broken text");

/** What is needed to make a key. With `replaces`, the older key goes on for `overlap_seconds`, while clients move. */
export const keyRequest = z.object({
  name,
  expires_at: moment.nullable().default(null),
  replaces: z.string().max(100).nullish(),
  overlap_seconds: z
    .number()
    .int()
    .min(0)
    .max(90 * 86_400)
    .default(7 * 86_400),
});

/** What makes an application: its settings, and a name. */
export const appRequest = appSettings.extend({ name: name.describe("What people call the application.") });
export type KeyRequest = z.output<typeof keyRequest>;

/** A key as administrators see it: never its hash. */
export type ShownKey = Omit<AppKey, "hash">;

/** What administrators do with applications and keys. */
export interface AppManagement {
  list(): Promise<readonly (App & { readonly keys: readonly ShownKey[] })[]>;
  create(settings: AppSettings, by: string): Promise<App>;
  update(id: string, settings: AppSettings): Promise<App>;
  remove(id: string): Promise<void>;
  /** `key` is the key itself: this is the only time it is seen. */
  createKey(appId: string, request: KeyRequest, by: string): Promise<ShownKey & { readonly key: string }>;
  setKeyDisabled(appId: string, keyId: string, disabled: boolean): Promise<void>;
  removeKey(appId: string, keyId: string): Promise<void>;
}

/** As they are made below: any other text is no key's, and not every database would take it. */
const keyIds = /^[\w-]{1,100}$/;

/** Applications of the file are shown, and changed there only. */
export function createAppManagement(
  registry: AppRegistry,
  store: AppStore,
  now: () => number = Date.now,
): AppManagement {
  const iso = (ms: number): string => new Date(ms).toISOString();

  /** @throws HttpError 404 for an unknown one, 409 for one that is kept in the file */
  async function changeable(id: string): Promise<App> {
    const app = await registry.byId(id);
    if (app === undefined) throw new HttpError(404, "app_unknown", "There is no such application.");
    if (app.source === "database") return app;
    throw new HttpError(
      409,
      "app_in_file",
      "This application is kept in the applications file: change it there and restart.",
    );
  }

  async function changeKey(keyId: string, change: () => Promise<boolean>): Promise<void> {
    if (!keyIds.test(keyId) || !(await change()))
      throw new HttpError(404, "key_unknown", "This application has no such key.");
  }

  return {
    async list() {
      const apps = await registry.list();
      return Promise.all(apps.map(async (app) => ({ ...app, keys: (await registry.keys(app.id)).map(shown) })));
    },
    async create(settings, by) {
      const id = await freeId(settings.name, registry);
      const app: App = {
        ...settings,
        id,
        source: "database",
        isDefault: false,
        created_by: by,
        created_at: iso(now()),
      };
      await store.createApp(app);
      return app;
    },
    async update(id, settings) {
      const app = { ...(await changeable(id)), ...settings };
      await store.updateApp(app);
      return app;
    },
    async remove(id) {
      await changeable(id);
      await store.deleteApp(id);
    },
    async createKey(appId, { name, expires_at, replaces, overlap_seconds }, by) {
      await changeable(appId);
      if (expires_at !== null && Date.parse(expires_at) <= now()) throw hasEnded();
      if (typeof replaces === "string") {
        const old = (await store.keys(appId)).find(({ id }) => id === replaces);
        if (old === undefined)
          throw new HttpError(404, "key_unknown", "This application has no key of that id to replace.");
        // A key that ends earlier anyway keeps its own end.
        await store.expireKey(appId, replaces, iso(now() + overlap_seconds * 1000));
      }
      const made = createKey();
      const key: AppKey = {
        id: randomBytes(9).toString("base64url"),
        app_id: appId,
        name,
        hint: made.hint,
        hash: made.hash,
        expires_at,
        disabled: false,
        created_by: by,
        created_at: iso(now()),
        last_used_at: null,
      };
      await store.createKey(key);
      return { ...shown(key), key: made.key };
    },
    async setKeyDisabled(appId, keyId, disabled) {
      await changeable(appId);
      await changeKey(keyId, () => store.setKeyDisabled(appId, keyId, disabled));
    },
    async removeKey(appId, keyId) {
      await changeable(appId);
      await changeKey(keyId, () => store.deleteKey(appId, keyId));
    },
  };
}

function shown({ hash: _, ...key }: AppKey): ShownKey {
  return key;
}

function hasEnded(): HttpError {
  const message = "expires_at is over already, so that the key would open nothing; give a later end, or none.";
  return new HttpError(400, "invalid_request", message);
}

/** A readable id out of the name; with a few random letters where that is taken. */
async function freeId(name: string, registry: AppRegistry): Promise<string> {
  const readable =
    name
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^-+|-+$/g, "")
      .slice(0, 40) || "app";
  return (await registry.byId(readable)) === undefined ? readable : `${readable}-${randomBytes(4).toString("hex")}`;
}
