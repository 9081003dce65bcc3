export { start, type VoiceboxService } from "./start.ts";
