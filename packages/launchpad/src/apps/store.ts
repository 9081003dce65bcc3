import type { App, AppKey } from "./app.ts";

/** Applications and keys that are made while the service runs. Every method rejects when the store is out of reach. */
export interface AppStore {
  apps(): Promise<readonly App[]>;
  app(id: string): Promise<App | undefined>;
  createApp(app: App): Promise<void>;
  /** False when there is no such application. */
  updateApp(app: App): Promise<boolean>;
  /** Removes its keys too; false when there is no such application. */
  deleteApp(id: string): Promise<boolean>;
  keys(appId: string): Promise<readonly AppKey[]>;
  keysByHint(hint: string): Promise<readonly AppKey[]>;
  createKey(key: AppKey): Promise<void>;
  setKeyDisabled(appId: string, keyId: string, disabled: boolean): Promise<boolean>;
  /** Lets a key end at a time (ISO 8601) that is not later than the one it has. */
  expireKey(appId: string, keyId: string, at: string): Promise<boolean>;
  deleteKey(appId: string, keyId: string): Promise<boolean>;
  used(keyId: string, at: string): Promise<void>;
}
