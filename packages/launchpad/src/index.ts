export { createKey } from "./apps/key.ts";
export { start } from "./start.ts";
