import { milliseconds } from "./memory.ts";
import { openRedis, type RedisConnection, type RedisOptions } from "./redis-connection.ts";
import { createSeal } from "./seal.ts";
import { type KeyValueStore, maxMembers } from "./store.ts";

/** Where the entries are, and under which secret: whoever reads that Redis must not read sessions and tokens. */
export interface RedisStoreOptions extends RedisOptions {
  /** Keeps services and purposes apart in one Redis, for example `launchpad:session`. */
  readonly prefix: string;
  /** At least 32 characters, the same on all replicas. A new one makes everything stored unreadable. */
  readonly encryptionSecret: string;
  /** Told when an entry cannot be decrypted: another secret, or somebody wrote to the store. It counts as absent. */
  readonly onUnreadable?: (() => void) | undefined;
}

/** For several replicas. Names are hashed and values encrypted: whoever reads Redis learns neither. */
export async function redisStore(options: RedisStoreOptions): Promise<KeyValueStore> {
  return storeOver(await openRedis(options), options);
}

const replaceIfSame = `if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) return 1`;
const deleteIfSame = `if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end return redis.call('DEL', KEYS[1])`;
/** A sorted set by when each member ends; the set as a whole ends with its last member. */
const addToSet = `local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - ARGV[3])
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
return redis.call('PEXPIREAT', KEYS[1], last[2])`;
const readSet = `local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000)
return redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf')`;

function storeOver(connection: RedisConnection, options: RedisStoreOptions): KeyValueStore {
  const { prefix, encryptionSecret, onUnreadable = () => {} } = options;
  const seal = createSeal(encryptionSecret, prefix);
  const { run } = connection;
  const named = (kind: "value" | "lease" | "set", key: string): string => `${prefix}:${seal.name(`${kind}:${key}`)}`;
  const opened = (name: string, sealed: string | null): string | undefined => {
    const text = sealed === null ? undefined : seal.open(name, sealed);
    if (text === undefined && sealed !== null) onUnreadable();
    return text;
  };
  const script = (text: string, key: string, ...values: string[]): Promise<unknown> =>
    run((redis) => redis.eval(text, { keys: [key], arguments: values }));

  return {
    async get(key) {
      const name = named("value", key);
      return opened(name, await run((redis) => redis.get(name)));
    },
    async set(key, value, lifetime) {
      const name = named("value", key);
      const sealed = seal.close(name, value);
      const expiration = { type: "PX", value: milliseconds(lifetime) } as const;
      await run((redis) => redis.set(name, sealed, { expiration }));
    },
    async add(key, value, lifetime) {
      const name = named("value", key);
      const sealed = seal.close(name, value);
      const expiration = { type: "PX", value: milliseconds(lifetime) } as const;
      return (await run((redis) => redis.set(name, sealed, { expiration, condition: "NX" }))) === "OK";
    },
    async replace(key, expected, value, lifetime) {
      const name = named("value", key);
      const current = await run((redis) => redis.get(name));
      if (current === null || opened(name, current) !== expected) return false;
      const px = String(milliseconds(lifetime));
      return (await script(replaceIfSame, name, current, seal.close(name, value), px)) === 1;
    },
    async take(key) {
      const name = named("value", key);
      return opened(name, await run((redis) => redis.getDel(name)));
    },
    async delete(key) {
      return (await run((redis) => redis.del(named("value", key)))) === 1;
    },
    async lease(leaseName, lifetime) {
      const name = named("lease", leaseName);
      const holder = crypto.randomUUID();
      const expiration = { type: "PX", value: milliseconds(lifetime) } as const;
      const first = await run((redis) => redis.set(name, holder, { expiration, condition: "NX" }));
      if (first !== "OK") return undefined;
      return { release: async () => void (await script(deleteIfSame, name, holder)) };
    },
    async addMember(key, member, lifetime) {
      const name = named("set", key);
      const px = String(milliseconds(lifetime));
      await script(addToSet, name, seal.closeSame(name, member), px, String(maxMembers));
    },
    async removeMember(key, member) {
      const name = named("set", key);
      await run((redis) => redis.zRem(name, seal.closeSame(name, member)));
    },
    async members(key) {
      const name = named("set", key);
      const sealed = await script(readSet, name);
      const texts = Array.isArray(sealed) ? sealed.map((item) => opened(name, String(item))) : [];
      return texts.filter((text) => text !== undefined);
    },
    ready: connection.ready,
    close: connection.close,
  };
}
