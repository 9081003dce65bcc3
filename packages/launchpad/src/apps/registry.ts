import { type App, type AppKey, appRefusal } from "./app.ts";
import type { FileApps } from "./file.ts";
import { keyHint, keyMatches, keyPattern } from "./key.ts";
import type { AppStore } from "./store.ts";

/** All applications, from the file and from the database, and the way from a key to its application. */
export interface AppRegistry {
  list(): Promise<readonly App[]>;
  byId(id: string): Promise<App | undefined>;
  /** The application that is used when none is named: of those open to sessions the file's default, else the first. */
  byDefault(): Promise<App | undefined>;
  keys(appId: string): Promise<readonly AppKey[]>;
  /** The application a key opens, disabled or expired ones too: the caller decides what to say. */
  byKey(key: string): Promise<{ readonly app: App; readonly key: AppKey } | undefined>;
  /** Notes that a key was used; at most once a minute is written. */
  used(key: AppKey): Promise<void>;
}

const usedEveryMs = 60_000;
/** As ids of stored applications are made of their names: any other text is none, and not every database would take it. */
const storedIds = /^[a-z0-9-]{1,100}$/;

/** Applications of the file and of the database as one list; the file wins where an id is in both. */
export function createAppRegistry(file: FileApps, store: AppStore, now: () => number = Date.now): AppRegistry {
  /** Last uses of the file's keys live with this process: there is nowhere in the file to write them. */
  const fileUses = new Map<string, string>();
  const withUse = (key: AppKey): AppKey => ({ ...key, last_used_at: fileUses.get(key.id) ?? null });

  async function list(): Promise<readonly App[]> {
    const stored = await store.apps();
    const ids = new Set(file.apps.map(({ id }) => id));
    return [...file.apps, ...stored.filter(({ id }) => !ids.has(id))];
  }
  const isOfFile = (id: string): boolean => file.apps.some((app) => app.id === id);
  async function byId(id: string): Promise<App | undefined> {
    const ofFile = file.apps.find((app) => app.id === id);
    return ofFile === undefined && storedIds.test(id) ? store.app(id) : ofFile;
  }

  return {
    list,
    byId,
    async byDefault() {
      const isOpen = (app: App): boolean => appRefusal(app, "session", now()) === undefined;
      const ofFile = file.apps.find(({ isDefault }) => isDefault);
      if (ofFile !== undefined && isOpen(ofFile)) return ofFile;
      // Where none is open, the file's says why.
      return (await list()).find(isOpen) ?? ofFile;
    },
    async keys(appId) {
      if (!isOfFile(appId)) return store.keys(appId);
      return file.keys.filter(({ app_id }) => app_id === appId).map(withUse);
    },
    async byKey(given) {
      if (!keyPattern.test(given)) return undefined;
      // The file's first: those work while the database is away.
      const matches = ({ hash }: AppKey): boolean => keyMatches(given, hash);
      const ofFile = file.keys.find(matches);
      const key = ofFile ?? (await store.keysByHint(keyHint(given))).find(matches);
      // The file's application of that id is another one than the key was made for, and may speak with other data.
      if (key === undefined || (ofFile === undefined && isOfFile(key.app_id))) return undefined;
      const app = await byId(key.app_id);
      return app && { app, key };
    },
    async used(key) {
      const at = new Date(now()).toISOString();
      const last = fileUses.get(key.id) ?? key.last_used_at;
      if (last !== null && now() - Date.parse(last) < usedEveryMs) return;
      if (key.id.startsWith("file:")) fileUses.set(key.id, at);
      else await store.used(key.id, at);
    },
  };
}
