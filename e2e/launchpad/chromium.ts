import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { findProgram } from "@onbehalf/service-kit/testing";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import type { Stage } from "./stage.ts";

const quiet = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export async function openBrowser(): Promise<Browser> {
  const executablePath = findProgram("chromium");
  if (executablePath === undefined) throw new Error("chromium is not installed");
  return chromium.launch({ executablePath, args: quiet });
}

/** A page that takes note of everything it should not do: ask another host, or be stopped by its own policy. */
export interface WatchedPage {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Requests to hosts other than the two of the test. */
  readonly strangers: string[];
  /** Errors, refusals of the content security policy among them. */
  readonly complaints: string[];
}

export async function openPage(browser: Browser, stage: Stage, width = 1280): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: { width, height: 900 } });
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: stage.publicUrl });
  const page = await context.newPage();
  const strangers: string[] = [];
  const complaints: string[] = [];
  page.on("request", (request) => {
    if (!/^(http:\/\/localhost[:/]|data:)/.test(request.url())) strangers.push(request.url());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    const text = message.text();
    // A refused fetch is logged by the browser itself; what it means is on the page.
    if (message.type() === "error" && !text.startsWith("Failed to load resource")) complaints.push(text);
  });
  return { page, context, strangers, complaints };
}

/** Signs in by the provider's page, as a person does. */
export async function signIn(page: Page, stage: Stage, user: string, path = "/"): Promise<void> {
  await page.goto(stage.publicUrl + path);
  await page.getByRole("link", { name: /^Sign in with/ }).click();
  await page.locator("input[type=password]").fill(user);
  await page.locator("input:not([type=hidden]):not([type=password])").first().fill(user);
  await page.locator("input[type=password]").press("Enter");
  await page.waitForURL((url) => url.origin === stage.publicUrl);
}

export async function ask(page: Page, question: string): Promise<void> {
  await page.getByLabel("Your question").fill(question);
  await page.getByLabel("Your question").press("Enter");
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What axe-core finds that is serious or worse, as one line each. */
export async function seriousProblems(page: Page): Promise<string[]> {
  // By the debugger, which the page's policy does not bind.
  await page.evaluate(axeSource);
  const { violations, passes } = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: {
        run(): Promise<{
          passes: unknown[];
          violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[];
        }>;
      };
    };
    return axe.run();
  });
  if (passes.length < 5) throw new Error("axe-core looked at next to nothing");
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} — ${failureSummary}`),
    );
}

/** How far the page can be scrolled sideways, in pixels. */
export function sidewaysScroll(page: Page): Promise<number> {
  return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
}
