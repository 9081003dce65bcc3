import type { KeyValueStore, Lifetime } from "@onbehalf/service-kit";
import { z } from "zod";
import type { SessionStore, StoredSession } from "./store.ts";

const shape = z.object({
  id: z.string(),
  owner: z.string(),
  providerSession: z.string().optional(),
  createdAt: z.number(),
  lastSeenAt: z.number(),
  expiresAt: z.number(),
  generation: z.number(),
  sealed: z.string(),
});

const sessionKey = (id: string): string => `session:${id}`;
const ownerKey = (owner: string): string => `owner:${owner}`;
const providerKey = (providerSession: string): string => `provider:${providerSession}`;

/** A writer that loses this often against others gives up: nobody writes one session so often. */
const maxTries = 20;

/** Sessions in a key-value store: memory, or Redis, which all replicas share. */
export function keyValueSessionStore(store: KeyValueStore, now: () => number = Date.now): SessionStore {
  const lifetime = ({ expiresAt }: StoredSession): Lifetime => ({
    ttlSeconds: Math.max(1, Math.ceil(expiresAt - now() / 1000)),
  });

  async function read(id: string): Promise<{ text: string; session: StoredSession } | undefined> {
    const text = await store.get(sessionKey(id));
    if (text === undefined) return undefined;
    const parsed = shape.safeParse(JSON.parse(text));
    return parsed.success
      ? { text, session: { ...parsed.data, providerSession: parsed.data.providerSession } }
      : undefined;
  }

  /** Compare and set until it holds; `change` answers undefined to leave the record as it is. */
  async function update(id: string, change: (kept: StoredSession) => StoredSession | undefined): Promise<boolean> {
    for (let tries = 0; tries < maxTries; tries += 1) {
      const kept = await read(id);
      const changed = kept && change(kept.session);
      if (kept === undefined || changed === undefined) return false;
      if (await store.replace(sessionKey(id), kept.text, JSON.stringify(changed), lifetime(changed))) return true;
    }
    return false;
  }

  async function remove(session: StoredSession): Promise<boolean> {
    await store.removeMember(ownerKey(session.owner), session.id);
    if (session.providerSession !== undefined) {
      await store.removeMember(providerKey(session.providerSession), session.id);
    }
    return store.delete(sessionKey(session.id));
  }

  /** The sessions of an index; entries whose session has ended are cleared away. */
  async function indexed(key: string): Promise<readonly StoredSession[]> {
    const ids = await store.members(key);
    const found = await Promise.all(ids.map(async (id) => ({ id, kept: await read(id) })));
    await Promise.all(found.filter(({ kept }) => kept === undefined).map(({ id }) => store.removeMember(key, id)));
    return found.flatMap(({ kept }) => (kept === undefined ? [] : [kept.session]));
  }

  async function removeAll(key: string): Promise<number> {
    const removed = await Promise.all((await indexed(key)).map(remove));
    return removed.filter(Boolean).length;
  }

  return {
    async create(session) {
      const life = lifetime(session);
      await store.set(sessionKey(session.id), JSON.stringify(session), life);
      await store.addMember(ownerKey(session.owner), session.id, life);
      if (session.providerSession !== undefined) {
        await store.addMember(providerKey(session.providerSession), session.id, life);
      }
    },
    async find(id) {
      return (await read(id))?.session;
    },
    replace: (session) =>
      update(session.id, (kept) =>
        kept.generation === session.generation - 1
          ? { ...kept, sealed: session.sealed, generation: session.generation }
          : undefined,
      ),
    async touch(id, lastSeenAt) {
      await update(id, (kept) => (kept.lastSeenAt < lastSeenAt ? { ...kept, lastSeenAt } : undefined));
    },
    async remove(id) {
      const kept = await read(id);
      if (kept !== undefined) await remove(kept.session);
    },
    ofOwner: (owner) => indexed(ownerKey(owner)),
    removeOwner: (owner) => removeAll(ownerKey(owner)),
    removeProviderSession: (providerSession) => removeAll(providerKey(providerSession)),
    lease: (id, life) => store.lease(`refresh:${id}`, life),
    async sweep() {
      // Entries end by themselves here.
      return 0;
    },
    ping: () => store.ready(),
    close: () => store.close(),
  };
}
