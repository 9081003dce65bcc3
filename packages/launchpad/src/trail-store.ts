import { createTrail, type KeyValueStore, type TrailHop, type TrailReader } from "@onbehalf/service-kit";

/** Where the hops of recent requests are kept. */
export interface TrailStore {
  /** Never fails and is not waited for: the record of an answer must not delay or break it. */
  add(hop: TrailHop): void;
  find(traceId: string, reader: TrailReader): Promise<readonly TrailHop[]>;
}

const lifetime = { ttlSeconds: 3600 };
/** A caller may send one traceparent with every request; more hops of a trace than this are not shown. */
const maxHops = 20;

/** The hops of this process. */
export function memoryTrail(): TrailStore {
  const trail = createTrail();
  return { add: (hop) => trail.add(hop), find: async (traceId, reader) => trail.find(traceId, reader) };
}

/** The hops of all replicas, for an hour. What cannot be written or read there is missing, and reported. */
export function sharedTrail(store: KeyValueStore, onError: (error: unknown) => void): TrailStore {
  async function keep(hop: TrailHop): Promise<void> {
    await store.set(`hop:${hop.trace_id}:${hop.request_id}`, JSON.stringify(hop), lifetime);
    await store.addMember(`trace:${hop.trace_id}`, hop.request_id, lifetime);
  }

  async function read(traceId: string): Promise<readonly TrailHop[]> {
    const ids = (await store.members(`trace:${traceId}`)).slice(-maxHops);
    const texts = await Promise.all(ids.map((id) => store.get(`hop:${traceId}:${id}`)));
    return texts.flatMap((text) => (text === undefined ? [] : [JSON.parse(text) as TrailHop]));
  }

  return {
    add(hop) {
      keep(hop).catch(onError);
    },
    async find(traceId, reader) {
      const hops = await read(traceId).catch((error: unknown) => {
        onError(error);
        return [];
      });
      return hops.filter(({ identity }) => reader === "admin" || isOf(identity, reader));
    },
  };
}

function isOf(identity: TrailHop["identity"], reader: Exclude<TrailReader, "admin">): boolean {
  return identity?.issuer === reader.issuer && identity.subject === reader.subject;
}
