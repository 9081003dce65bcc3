import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { ask, openPage, signIn } from "./chromium.ts";
import { browser, shareStage, stage } from "./shared-stage.ts";

shareStage();

describe("on a phone, 360 by 740", () => {
  const phone = async (path: string): Promise<Page> => {
    const { page } = await openPage(browser, stage);
    await page.setViewportSize({ width: 360, height: 740 });
    await signIn(page, stage, "carol", path);
    return page;
  };

  it("the bar of conversations is one line high", async () => {
    const page = await phone("/");
    const button = await page.getByRole("button", { name: "New conversation" }).boundingBox();
    const bar = await page.locator(".conversations").boundingBox();
    expect(button?.height).toBeLessThan(40);
    expect(bar?.height).toBeLessThan(70);
  });

  it("refusals are read from top to bottom, each value with its name, without scrolling sideways", async () => {
    const page = await phone("/admin");
    const table = page.getByRole("region", { name: "Denials" });
    expect(await table.evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)).toBe(0);
    const cells = await table.locator("td").evaluateAll((all) => all.map((cell) => cell.getAttribute("data-label")));
    expect(cells).toEqual(["When", "Who", "Route", "Model", "Why", "Chain"]);
  });

  it("the chart's labels can be read, and the last of them is inside", async () => {
    const page = await phone("/admin");
    const chart = page.locator("svg.chart").first();
    const [frame, last] = [await chart.boundingBox(), await chart.locator("text.axis").last().boundingBox()];
    if (frame === null || last === null) throw new Error("the chart has no label");
    expect(last.height).toBeGreaterThan(10);
    expect(last.x + last.width).toBeLessThanOrEqual(frame.x + frame.width + 1);
  });
});

describe("what a service saw", () => {
  it("is shown without a break inside a name or a value, at desktop width", async () => {
    const { page } = await openPage(browser, stage);
    await signIn(page, stage, "carol");
    await ask(page, "Who am I?");
    await page.getByRole("button", { name: "Gateway: show claims" }).click();
    const claims = page.getByRole("dialog", { name: "What Gateway saw" });
    const shown = await claims.locator("th, td").evaluateAll((cells) =>
      cells.map((cell) => {
        const range = cell.ownerDocument.createRange();
        range.selectNodeContents(cell);
        return { text: cell.textContent, lines: new Set([...range.getClientRects()].map(({ y }) => y)).size };
      }),
    );
    const names = shown.map(({ text }) => text);
    expect(names).toEqual(expect.arrayContaining(["provider_model", "completion_tokens"]));
    expect(names).toContain("us.anthropic.claude-sonnet-4-5-20250929-v1:0");
    expect(shown.filter(({ lines }) => lines !== 1)).toEqual([]);
  });
});

describe("trouble and second thoughts", () => {
  it("says in words that Launchpad cannot be reached, and the question can be asked again", async () => {
    const { page, context } = await openPage(browser, stage);
    await signIn(page, stage, "alice");
    await context.setOffline(true);
    await ask(page, "Is anybody there?");
    const alert = page.getByRole("alert").filter({ hasText: "Launchpad cannot be reached" });
    await alert.waitFor();
    expect(await page.content()).not.toContain("Failed to fetch");
    await context.setOffline(false);
    await page.getByRole("button", { name: "Ask again" }).click();
    await page.getByText("You are alice.").waitFor();
  });

  it("makes one key, however often the page after it is loaded again, and asks before deleting", async () => {
    const { page, complaints } = await openPage(browser, stage);
    await signIn(page, stage, "carol", "/admin");
    await page.getByText("New application").click();
    await page.getByLabel("Name", { exact: true }).fill("Loaded again");
    await page.getByRole("button", { name: "Create application" }).click();
    await page.getByLabel("New key").fill("only-one");
    await page.setViewportSize({ width: 360, height: 740 });
    await page.getByRole("button", { name: "Make key" }).click();
    const key = page.locator("#new-key");
    await key.waitFor();
    // In sight below the header, as a whole.
    const [header, box] = [await page.locator("header.top").boundingBox(), await key.boundingBox()];
    expect(box?.y).toBeGreaterThan((header?.y ?? 0) + (header?.height ?? 0));
    expect(await key.evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)).toBe(0);
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.reload();
    await page.getByText("A new key is shown once").waitFor();
    expect(await page.locator("#new-key").count()).toBe(0);
    expect(await page.getByRole("cell", { name: "only-one", exact: true }).count()).toBe(1);

    const confirm = page.getByRole("button", { name: "Delete Loaded again and its 1 key" });
    expect(await confirm.isVisible()).toBe(false);
    await page.getByText("Delete", { exact: true }).filter({ visible: true }).last().click();
    expect(await page.getByText("This cannot be undone.").filter({ visible: true }).count()).toBe(1);
    await confirm.click();
    await page.waitForURL(/\/admin#apps$/);
    expect(await page.getByText("Loaded again").count()).toBe(0);
    expect(complaints).toEqual([]);
  });
});
