import { chmodSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { makePrivately } from "@onbehalf/service-kit";
import type { Adapter, AdapterPayload } from "oidc-provider";
import { errors } from "./library.ts";

/** Rows kept per model and issuer. Tokens are the only thing that grows with use; the oldest go first. */
const maxRows = 50_000;
/** How many writes pass between two clean-ups. */
const writesPerSweep = 500;

/** Models whose records end with the grant they came from; a running sign-in names its grant too, but outlives it. */
const endsWithGrant = new Set(["AccessToken", "AuthorizationCode", "DeviceCode", "RefreshToken"]);

/** A device that asks with an expired code is told so (RFC 8628, section 3.5), so the code is known a while longer. */
const deviceCodeGraceSeconds = 3600;

const schema = `
  CREATE TABLE IF NOT EXISTS records (
    issuer TEXT NOT NULL, model TEXT NOT NULL, id TEXT NOT NULL, payload TEXT NOT NULL,
    expires_at INTEGER, grant_id TEXT, uid TEXT,
    PRIMARY KEY (issuer, model, id)
  );
  CREATE INDEX IF NOT EXISTS records_grant ON records (issuer, grant_id) WHERE grant_id IS NOT NULL;
  CREATE INDEX IF NOT EXISTS records_uid ON records (issuer, model, uid) WHERE uid IS NOT NULL;
  CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
`;

/** What the identity provider remembers: in memory, or in a file that survives a restart. */
export interface State {
  /** Storage of one model of one issuer, as the library wants it. */
  adapter(issuer: string, model: string): Adapter;
  read(name: string): string | undefined;
  write(name: string, value: string): void;
  /** Ids of the records of a model whose payload has `accountId`. */
  idsOf(issuer: string, model: string, accountId: string): string[];
  /** Device codes of an issuer that wait for somebody to enter them. */
  waitingDeviceCodes(issuer: string): number;
  close(): void;
}

/**
 * @param dataDir where `identity-provider.sqlite` is kept, readable by its owner alone; absent = nothing outlives the process
 */
export function openState(dataDir: string | undefined): State {
  const database = new DatabaseSync(dataDir === undefined ? ":memory:" : databaseFile(dataDir));
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 2000;");
  database.exec(schema);
  const sweep = sweeper(database);
  const readSetting = database.prepare("SELECT value FROM settings WHERE name = ?");
  const writeSetting = database.prepare("INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)");
  const idsOfAccount = database.prepare(
    "SELECT id FROM records WHERE issuer = ? AND model = ? AND json_extract(payload, '$.accountId') = ?",
  );
  const waiting = database.prepare(
    `SELECT count(*) AS count FROM records WHERE issuer = ? AND model = 'DeviceCode' AND expires_at > ?
       AND json_extract(payload, '$.accountId') IS NULL AND json_extract(payload, '$.error') IS NULL`,
  );
  return {
    adapter: (issuer, model) => adapter(database, issuer, model, sweep),
    read: (name) => text(readSetting.get(name)?.value),
    write: (name, value) => void writeSetting.run(name, value),
    idsOf: (issuer, model, accountId) =>
      idsOfAccount.all(issuer, model, accountId).flatMap((row) => text(row.id) ?? []),
    waitingDeviceCodes: (issuer) => Number(waiting.get(issuer, seconds() + deviceCodeGraceSeconds)?.count ?? 0),
    close: () => database.close(),
  };
}

function databaseFile(dataDir: string): string {
  const file = join(dataDir, "identity-provider.sqlite");
  // The file holds signing keys, so nobody else on the machine may read it.
  makePrivately(file);
  chmodSync(file, 0o600);
  return file;
}

function adapter(database: DatabaseSync, issuer: string, model: string, sweep: () => void): Adapter {
  const where = "issuer = ? AND model = ? AND id = ?";
  const upsert = database.prepare("INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?, ?, ?)");
  const byId = database.prepare(`SELECT payload, expires_at FROM records WHERE ${where}`);
  const byUid = database.prepare("SELECT payload, expires_at FROM records WHERE issuer = ? AND model = ? AND uid = ?");
  const consume = database.prepare(
    `UPDATE records SET payload = json_set(payload, '$.consumed', ?) WHERE ${where} AND json_extract(payload, '$.consumed') IS NULL`,
  );
  const destroy = database.prepare(`DELETE FROM records WHERE ${where}`);
  const revoke = database.prepare("DELETE FROM records WHERE issuer = ? AND grant_id = ?");
  return {
    upsert: async (id, payload, expiresIn) => {
      sweep();
      const graceSeconds = model === "DeviceCode" ? deviceCodeGraceSeconds : 0;
      const expiresAt = expiresIn === undefined ? null : seconds() + expiresIn + graceSeconds;
      const grantId = (endsWithGrant.has(model) && payload.grantId) || null;
      upsert.run(
        issuer,
        model,
        id,
        JSON.stringify(payload),
        expiresAt,
        grantId,
        payload.uid ?? payload.userCode ?? null,
      );
    },
    find: async (id) => payloadOf(byId.get(issuer, model, id)),
    findByUid: async (uid) => payloadOf(byUid.get(issuer, model, uid)),
    // What a record is found by besides its id is its uid or, for device codes, which have none, its user code.
    findByUserCode: async (userCode) => payloadOf(byUid.get(issuer, model, userCode)),
    // The library looks, then marks; of several that looked at once, one alone may go on.
    consume: async (id) => {
      const { changes } = consume.run(seconds(), issuer, model, id);
      if (Number(changes) === 0) throw new errors.InvalidGrant(`${model} was used already`);
    },
    destroy: async (id) => void destroy.run(issuer, model, id),
    revokeByGrantId: async (grantId) => {
      if (grantId) revoke.run(issuer, grantId);
    },
  };
}

function payloadOf(row: Record<string, unknown> | undefined): AdapterPayload | undefined {
  const payload = text(row?.payload);
  if (payload === undefined) return undefined;
  if (typeof row?.expires_at === "number" && row.expires_at <= seconds()) return undefined;
  return JSON.parse(payload) as AdapterPayload;
}

/** Every so many writes: what has expired goes, then the oldest rows above the bound. */
function sweeper(database: DatabaseSync): () => void {
  const expired = database.prepare("DELETE FROM records WHERE expires_at <= ?");
  const surplus = database.prepare(
    `DELETE FROM records WHERE rowid IN (
       SELECT rowid FROM (
         SELECT rowid, row_number() OVER (PARTITION BY issuer, model ORDER BY rowid DESC) AS place FROM records
       ) WHERE place > ?)`,
  );
  let writes = 0;
  return () => {
    writes += 1;
    if (writes % writesPerSweep !== 0) return;
    expired.run(seconds());
    surplus.run(maxRows);
  };
}

const seconds = (): number => Math.floor(Date.now() / 1000);
const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
