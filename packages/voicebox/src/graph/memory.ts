import { setFlagsFromString } from "node:v8";

const pageBytes = 64 * 1024;

/**
 * Bounds the memory of each embedded store that is opened from now on. A query can ask for far more than its time limit
 * would let it fill the machine with, and limits of worker threads do not cover WebAssembly; V8 does, for the whole
 * process, where nothing else of this service needs more than a few pages. A store that reaches the bound traps, and
 * its thread is replaced.
 */
export function boundStoreMemory(megabytes: number): void {
  setFlagsFromString(`--wasm-max-mem-pages=${Math.floor((megabytes * 1024 * 1024) / pageBytes)}`);
}
