export { curlLine } from "./banner.ts";
export { startBedrock } from "./bedrock/index.ts";
export type { SandboxUrls } from "./environment.ts";
export { startIdentityProvider } from "./idp/index.ts";
export { type LaunchOptions, launch, type Sandbox } from "./launch.ts";
