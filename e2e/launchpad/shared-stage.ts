import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll } from "vitest";
import { openBrowser } from "./chromium.ts";
import { type Stage, startStage } from "./stage.ts";

/** Of all tests of a file, from the first on. */
export let stage: Stage;
export let browser: Browser;

/** One stage and one browser for all tests of a file; each test begins with Voicebox's own answers. */
export function shareStage(options?: Parameters<typeof startStage>[0]): void {
  beforeAll(async () => {
    stage = await startStage(options);
    browser = await openBrowser();
  });
  afterEach(() => stage.voicebox.behave(undefined));
  afterAll(async () => {
    await browser?.close();
    await stage?.close();
  });
}
