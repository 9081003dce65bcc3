import { memoryStore } from "@onbehalf/service-kit";
import { sessionStoreContract } from "./store.contract.ts";
import { keyValueSessionStore } from "./store-key-value.ts";

sessionStoreContract("memory", async () => {
  const store = memoryStore({ maxEntries: 10_000 });
  return { one: keyValueSessionStore(store), other: keyValueSessionStore(store), close: () => store.close() };
});
