export { type Gateway, start } from "./start.ts";
