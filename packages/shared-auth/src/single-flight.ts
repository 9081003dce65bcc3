/** One piece of work per key at a time, shared by all who ask for it meanwhile. */
interface SingleFlight<T> {
  readonly run: (key: string, work: () => Promise<T>) => Promise<T>;
  readonly has: (key: string) => boolean;
}

/** Nothing is kept once a flight has landed. */
export function singleFlight<T>(): SingleFlight<T> {
  const flights = new Map<string, Promise<T>>();
  return {
    has: (key) => flights.has(key),
    run(key, work) {
      const running = flights.get(key);
      if (running !== undefined) return running;
      const started = work().finally(() => flights.delete(key));
      flights.set(key, started);
      return started;
    },
  };
}
