import { createRequire } from "node:module";
import { findProgram } from "@onbehalf/service-kit/testing";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished } from "vitest";

/** A browser for a file of tests. @returns a new page in a context of its own, and what it complained of and asked */
export function useBrowser() {
  let browser: Browser;
  beforeAll(async () => {
    const args = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--no-first-run"];
    browser = await chromium.launch({ executablePath: findProgram("chromium") ?? "", args });
  });
  afterAll(() => browser.close());
  return async (options: BrowserContextOptions) => {
    const context = await browser.newContext(options);
    onTestFinished(() => context.close());
    const page = await context.newPage();
    const complaints: string[] = [];
    const hosts = new Set<string>();
    page.on("console", (message) => void complaints.push(message.text()));
    page.on("pageerror", (error) => void complaints.push(error.message));
    page.on("request", (request) => void hosts.add(new URL(request.url()).host));
    return { page, complaints, hosts };
  };
}

/** How pages are looked at; axe-core is a script of the test, and the page's own policy would rightly refuse it. */
export const looks = [
  ["light", { colorScheme: "light", viewport: { width: 1100, height: 900 }, bypassCSP: true }],
  ["dark", { colorScheme: "dark", viewport: { width: 1100, height: 900 }, bypassCSP: true }],
  ["on a phone", { colorScheme: "dark", viewport: { width: 320, height: 640 }, bypassCSP: true }],
] satisfies [string, BrowserContextOptions][];

/** axe-core objects to nothing, of whatever weight, and the page does not scroll sideways. */
export async function expectSound(page: Page, name: string): Promise<void> {
  expect([name, await findings(page)]).toEqual([name, []]);
  expect([name, await page.evaluate("document.documentElement.scrollWidth")]).toEqual([
    name,
    page.viewportSize()?.width,
  ]);
}

const axeFile = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

async function findings(page: Page): Promise<unknown[]> {
  await page.addScriptTag({ path: axeFile });
  return await page.evaluate("axe.run().then(({ violations }) => violations.map(({ id, help }) => [id, help]))");
}
