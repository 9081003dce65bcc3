import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ask, openBrowser, openPage, seriousProblems, sidewaysScroll, signIn } from "./chromium.ts";
import { type Stage, startStage } from "./stage.ts";

let browser: Browser;
let stage: Stage | undefined;
beforeAll(async () => {
  browser = await openBrowser();
});
afterEach(async () => {
  await stage?.close();
  stage = undefined;
});
afterAll(() => browser?.close());

async function stageWith(apps: string): Promise<Stage> {
  stage = await startStage({ apps });
  return stage;
}

const askedOf = ({ voicebox }: Stage): unknown => voicebox.received.findLast(({ body }) => body.app)?.body.app;

const entry = (id: string, more: string): string =>
  `\n  - { id: ${id}, name: The ${id}, connection: demo, database: demo, ${more} }`;

describe("the applications that are open to a person", () => {
  it("none: the page says so and what to do, the administrator makes one, and then one can ask", async () => {
    const on = await stageWith(`apps:${entry("closed", "disabled: true, default: true")}`);
    const { page: person, complaints } = await openPage(browser, on, 320);
    await signIn(person, on, "alice");
    await person.getByRole("heading", { name: "No application is open to you" }).waitFor();
    expect(await seriousProblems(person)).toEqual([]);
    expect(await sidewaysScroll(person)).toBe(0);

    const { page: administrator } = await openPage(browser, on);
    await signIn(administrator, on, "carol");
    await administrator.getByRole("link", { name: "To the applications" }).click();
    await administrator.getByText("New application").click();
    await administrator.getByLabel("Name", { exact: true }).fill("Opened");
    await administrator.getByLabel("Questions to begin with").fill("Who am I?\n\n  Who is Bob? ");
    await administrator.getByRole("button", { name: "Create application" }).click();
    await administrator.waitForURL(/app=opened/);

    await person.getByRole("link", { name: "Look again" }).click();
    await person.getByText("About Opened").waitFor();
    expect(await person.locator("[data-example]").allTextContents()).toEqual(["Who am I?", "Who is Bob?"]);
    await person.getByRole("button", { name: "Who am I?" }).click();
    await person.getByText("You are alice.").waitFor();
    expect(askedOf(on)).toMatchObject({ id: "opened" });
    expect(complaints).toEqual([]);
  });

  it("one beside a default that is closed: it is the one that is asked", async () => {
    const closed = entry("closed", "disabled: true, default: true");
    const on = await stageWith(`apps:${closed}${entry("open", "modes: [session]")}`);
    const { page } = await openPage(browser, on);
    await signIn(page, on, "alice");
    await page.getByText("About The open").waitFor();
    await ask(page, "Who am I?");
    await page.getByText("You are alice.").waitFor();
  });

  it("several: the questions to begin with are those of the one that is chosen", async () => {
    const sales = entry("sales", 'examples: ["What did we sell?"]');
    const on = await stageWith(`apps:${sales}${entry("people", 'default: true, examples: ["Who works here?"]')}`);
    const { page } = await openPage(browser, on);
    await signIn(page, on, "alice");
    const offered = page.locator("[data-example]").filter({ visible: true });
    expect(await offered.allTextContents()).toEqual(["Who works here?"]);
    await page.getByLabel("About").selectOption("sales");
    expect(await offered.allTextContents()).toEqual(["What did we sell?"]);
    await offered.click();
    await page.getByText("You are alice.").waitFor();
    expect(askedOf(on)).toMatchObject({ id: "sales" });
  });
});
