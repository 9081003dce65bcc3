import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Caller, localAdministrator, localIssuer } from "../caller.ts";
import type { Policy } from "../policy/policy.ts";
import { createMigrator, type GatewayDatabase, openGatewayDatabase } from "../sql/open.ts";
import { type Actor, createKeyAdmin, type KeyAdmin } from "./key-admin.ts";
import { createKeyStore, type KeyStore } from "./key-store.ts";
import { createKeyHash } from "./virtual-key.ts";

const policy: Policy = {
  enforce: true,
  allowedRoutes: [{ pattern: "*", groups: undefined }],
  groups: undefined,
  adminRoutes: undefined,
  teamRoutes: undefined,
};
const admin: Actor = { caller: localAdministrator("test"), policy, keyLimits: {} };
const alice: Actor = {
  caller: {
    ...localAdministrator("alice"),
    issuer: "https://idp",
    email: "alice@example.com",
    groups: ["users"],
    credential: "jwt",
    role: "standard",
  } as Caller,
  policy,
  keyLimits: {},
};
/** A clock that stands: whatever happens, happens in the same millisecond. */
const wallMs = () => Date.UTC(2026, 10, 22, 12);

let dataDir: string;
let database: GatewayDatabase;
let theirs: KeyAdmin;
/** On another replica: what `meanwhile` does happens once, after a key was read and before it is written. */
let ours: KeyAdmin;
let meanwhile: (() => Promise<unknown>) | undefined;

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "key-admin-"));
  database = await openGatewayDatabase({ url: undefined, dataDir });
  const store = createKeyStore(database, createMigrator(database));
  const hash = async () => createKeyHash("pepper");
  const slow: KeyStore = {
    ...store,
    async byId(id) {
      const found = await store.byId(id);
      const happens = meanwhile;
      meanwhile = undefined;
      await happens?.();
      return found;
    },
    async insert(key, keyHash) {
      await meanwhile?.();
      await store.insert(key, keyHash);
    },
  };
  theirs = createKeyAdmin({ store, hash, wallMs });
  ours = createKeyAdmin({ store: slow, hash, wallMs });
});
afterEach(async () => {
  meanwhile = undefined;
  await database.close();
  rmSync(dataDir, { recursive: true, force: true });
});

describe("whom a changed key belongs to", () => {
  test("its owner, also where an administrator names him again or says nothing of him", async () => {
    const { made } = await theirs.generate(alice, {});
    const { issuer, subject, userId, email, groups, explicit } = made;
    for (const fields of [{ rpm_limit: 1 }, { user_id: userId }, { user_id: null }]) {
      const changed = await theirs.update(admin, made.id, fields);
      expect(changed).toMatchObject({ issuer, subject, userId, email, groups, explicit });
    }
    expect([issuer, explicit]).toEqual(["https://idp", false]);
  });

  test("whom an administrator names, by the gateway's own word and with nothing of his predecessor's", async () => {
    const { made } = await theirs.generate(alice, {});
    const changed = await theirs.update(admin, made.id, { user_id: "bob" });
    const bob = { issuer: localIssuer, subject: "user:bob", userId: "bob", groups: [], explicit: true };
    expect(changed).toMatchObject(bob);
    expect(changed.email).toBeUndefined();
  });
});

describe("two who change a key at once", () => {
  test("an update that began before a block does not undo it", async () => {
    const { made } = await theirs.generate(alice, {});
    meanwhile = () => theirs.setBlocked(admin, made.id, true);
    await ours.update(alice, made.id, { metadata: { note: "mine" } });
    expect(await theirs.find(admin, made.id)).toMatchObject({ blocked: true, metadata: { note: "mine" } });
  });

  test("a key that is blocked or deleted while its owner rotates it leaves no other behind", async () => {
    const blocked = (await theirs.generate(alice, {})).made;
    meanwhile = () => theirs.setBlocked(admin, blocked.id, true);
    await expect(ours.regenerate(alice, blocked.id, "1h")).rejects.toMatchObject({ code: "forbidden" });
    const deleted = (await theirs.generate(alice, {})).made;
    meanwhile = () => theirs.delete(admin, [deleted.id], []);
    await expect(ours.regenerate(alice, deleted.id, "1h")).rejects.toMatchObject({ code: "not_found" });
    const { keys } = await theirs.list(admin, { limit: 10, offset: 0 });
    expect(keys).toMatchObject([{ id: blocked.id, blocked: true }]);
  });

  test("limits that both change are both changed", async () => {
    const { made } = await theirs.generate(admin, { rpm_limit: 1, tpm_limit: 1 });
    meanwhile = () => theirs.update(admin, made.id, { rpm_limit: 2 });
    await ours.update(admin, made.id, { tpm_limit: 2 });
    expect(await theirs.find(admin, made.id)).toMatchObject({ limits: { rpm: 2, tpm: 2 } });
  });

  test("rotated twice, the alias goes to one of the new keys and nobody meets an error", async () => {
    const { made } = await theirs.generate(admin, { key_alias: "batch" });
    meanwhile = () => theirs.regenerate(admin, made.id, "1h");
    await ours.regenerate(admin, made.id, "1h");
    const { keys } = await theirs.list(admin, { limit: 10, offset: 0 });
    expect(keys.filter(({ alias }) => alias === "batch")).toMatchObject([{ replaces: made.id, expiresAt: undefined }]);
  });

  test("an alias that somebody else takes in the same moment is taken", async () => {
    meanwhile = () => theirs.generate(admin, { key_alias: "batch" });
    await expect(ours.generate(admin, { key_alias: "batch" })).rejects.toMatchObject({ code: "invalid_request" });
  });
});
