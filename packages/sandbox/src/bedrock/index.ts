export type { ConverseBlock, ConverseMessage, Reply, Rule, Turn } from "./rule.ts";
export { type BedrockOptions, startBedrock } from "./server.ts";
