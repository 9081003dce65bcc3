import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { ask, openPage, sidewaysScroll, signIn } from "./chromium.ts";
import { browser, shareStage, stage } from "./shared-stage.ts";

shareStage();

/** Every answer is this one. */
function answer(result: string): void {
  const line = `${JSON.stringify({ result, actions: [], pending: false })}\n`;
  stage.voicebox.behave((c, { path }) =>
    path.endsWith("/stream/ask") ? c.body(line, 200, { "content-type": "application/x-ndjson" }) : undefined,
  );
}

async function shown(page: Page, user: string, size: { width: number; height: number }, path = "/"): Promise<void> {
  await page.setViewportSize(size);
  await signIn(page, stage, user, path);
}

const top = async (page: Page, selector: string) => (await page.locator(selector).last().boundingBox())?.y ?? 0;

describe("on a small screen", () => {
  it("of 320 by 256, as a desktop's at 400 %, the header scrolls away and leaves room to read", async () => {
    const { page } = await openPage(browser, stage);
    await shown(page, "carol", { width: 320, height: 256 });
    await ask(page, "Who am I?");
    await page.locator("figure.chain").waitFor();
    await page.mouse.wheel(0, 400);
    await expect.poll(() => top(page, "header.top")).toBeLessThan(-50);
    expect(await sidewaysScroll(page)).toBe(0);
  });

  it("long words, code and signs stay inside, at 320", async () => {
    const { page } = await openPage(browser, stage);
    await shown(page, "alice", { width: 320, height: 640 });
    const long = "a".repeat(300);
    answer(`${long} 👩‍👩‍👧‍👦🏳️‍🌈 \`${long}\`\n\n    ${long}\n\n| ${long} | b |\n|---|---|\n| 1 | 2 |\n\n- ${long}`);
    await ask(page, `${long} 👩‍👩‍👧‍👦`);
    await page.locator("figure.chain").waitFor();
    expect(await sidewaysScroll(page)).toBe(0);
    const title = await page.locator("#conversation-list button").textContent();
    expect(title).toHaveLength(80);
  });
});

describe("by keyboard", () => {
  it.each([
    ["desktop", 1280, 640],
    ["phone", 360, 640],
  ])("what has the focus is never behind the header or the field, %s", async (_, width, height) => {
    const { page } = await openPage(browser, stage);
    await shown(page, "carol", { width, height });
    answer("A [link](https://example.com/)\n\n".repeat(25));
    await ask(page, "Who am I?");
    await page.locator("figure.chain").waitFor();
    const covered: string[] = [];
    const box = async (selector: string) => {
      const found = await page.locator(selector).boundingBox();
      if (found === null) throw new Error(`${selector} is not shown`);
      return { top: found.y, bottom: found.y + found.height };
    };
    for (const key of ["Shift+Tab", "Tab"]) {
      for (let at = 0; at < 48; at += 1) {
        await page.keyboard.press(key);
        const text = (await page.evaluate("document.activeElement.closest('.turn')?.ariaLabel ?? ''")) as string;
        if (text === "") continue;
        const [own, header, field] = [await box(":focus"), await box("header.top"), await box(".composer")];
        if (own.top < header.bottom - 1 || own.bottom > field.top + 1) covered.push(`${key} ${at}`);
      }
    }
    expect(covered).toEqual([]);
  });
});

describe("a language that is written from right to left", () => {
  it("is, in the question, the answer and the field; one that is not stays as it is", async () => {
    const { page } = await openPage(browser, stage);
    await shown(page, "alice", { width: 800, height: 700 });
    answer("بوب هو مهندس بيانات.\n\n- في تالين\n\nBob Baker works on Atlas.");
    const direction = (selector: string) =>
      page
        .locator(selector)
        .evaluateAll((all) => all.map((one) => one.ownerDocument.defaultView?.getComputedStyle(one).direction));
    await ask(page, "من هو بوب؟");
    await page.locator("figure.chain").waitFor();
    expect(await direction("h2.question")).toEqual(["rtl"]);
    expect(await direction(".prose > *")).toEqual(["rtl", "rtl", "ltr"]);
    await page.getByLabel("Your question").fill("ومن هي أليس؟");
    expect(await direction("#question")).toEqual(["rtl"]);
    expect(await direction("#conversation-list button")).toEqual(["rtl"]);
  });
});

describe("with forced colours", () => {
  it("what says something by its colour alone elsewhere can be seen", async () => {
    const { page } = await openPage(browser, stage);
    await page.emulateMedia({ forcedColors: "active" });
    await shown(page, "carol", { width: 1280, height: 900 });
    await ask(page, "Who am I?");
    await page.locator("figure.chain").waitFor();
    const style = (selector: string, name: string, pseudo = "") =>
      page.evaluate(
        `getComputedStyle(document.querySelector(${JSON.stringify(selector)}), ${JSON.stringify(pseudo)})[${JSON.stringify(name)}]`,
      );
    const canvas = await style("body", "backgroundColor");
    expect(await style("header nav a[aria-current]", "borderBottomStyle")).toBe("solid");
    expect(await style("#conversation-list [aria-current]", "textDecorationLine")).toBe("underline");
    expect(await style(".chain .stop.service", "backgroundColor", "::before")).not.toBe(canvas);
    await page.goto(`${stage.publicUrl}/admin`);
    expect(await style(".lamp", "backgroundColor")).not.toBe(canvas);
    expect(await style(".swatch", "backgroundColor")).not.toBe(canvas);
  });
});

describe("an answer that takes long", () => {
  it("shows for how long, and says so to who does not see it", async () => {
    const { page } = await openPage(browser, stage);
    await page.clock.install();
    await shown(page, "alice", { width: 800, height: 700 });
    const silent = () => new ReadableStream<Uint8Array>();
    stage.voicebox.behave((c, { path }) =>
      path.endsWith("/stream/ask") ? c.body(silent(), 200, { "content-type": "application/x-ndjson" }) : undefined,
    );
    await ask(page, "What takes so long?");
    await page.locator(".turn.pending").waitFor();
    await page.clock.runFor(31_000);
    expect(await page.locator(".turn.pending").getAttribute("data-waited")).toMatch(/^3\d s$/);
    expect(await page.getByRole("status").first().textContent()).toBe("Still answering, after 30 s.");
  });
});
