import type { BrowserContext, Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { ask, openPage, signIn } from "./chromium.ts";
import { browser, shareStage, stage } from "./shared-stage.ts";

shareStage();

/** Ends the session from elsewhere: the page learns of it with its next request. */
async function endSession(context: BrowserContext): Promise<void> {
  const cookies = await context.cookies(stage.publicUrl);
  const value = cookies.find(({ name }) => name === "onbehalf_session")?.value;
  const headers = { cookie: `onbehalf_session=${value}`, origin: stage.publicUrl };
  await fetch(`${stage.publicUrl}/logout`, { method: "POST", redirect: "manual", headers });
}

/** Answers begin and do not come to an end. */
function stall(): void {
  const line = `${JSON.stringify({ result: "So far this", actions: [], pending: true })}\n`;
  const body = () =>
    new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(new TextEncoder().encode(line)) });
  stage.voicebox.behave((c, { path }) =>
    path.endsWith("/stream/ask") ? c.body(body(), 200, { "content-type": "application/x-ndjson" }) : undefined,
  );
}

async function signInAtProvider(page: Page, user: string): Promise<void> {
  await page.locator("input[type=password]").fill(user);
  await page.locator("input:not([type=hidden]):not([type=password])").first().fill(user);
  await page.locator("input[type=password]").press("Enter");
  await page.waitForURL((url) => url.origin === stage.publicUrl);
}

const listed = (page: Page) => page.locator("#conversation-list button").allTextContents();

describe("nothing typed is lost", () => {
  it("when the page is loaded again before the question was sent", async () => {
    const { page } = await openPage(browser, stage);
    await signIn(page, stage, "alice");
    await page.getByLabel("Your question").fill("A long thought,\nnot sent");
    await page.reload();
    expect(await page.getByLabel("Your question").inputValue()).toBe("A long thought,\nnot sent");
    await page.getByLabel("Your question").press("Enter");
    await page.getByText("You are alice.").waitFor();
    await page.reload();
    expect(await page.getByLabel("Your question").inputValue()).toBe("");
  });

  it("when more is pasted than a question may have: it stays as it is, and the field says how much that is", async () => {
    const { page } = await openPage(browser, stage);
    await signIn(page, stage, "alice");
    const field = page.getByLabel("Your question");
    await field.focus();
    await page.keyboard.insertText("x".repeat(8_001));
    expect(await field.inputValue()).toHaveLength(8_001);
    await field.press("Enter");
    expect(await field.evaluate("document.activeElement.validationMessage")).toBe(
      "A question may have 8000 characters; this has 8001. Shorten it.",
    );
    expect(await page.getByRole("article").count()).toBe(0);
    await field.press("Backspace");
    await field.press("Enter");
    await page.getByText("You are alice.").waitFor();
  });

  it("when another conversation is begun while an answer comes", async () => {
    const { page } = await openPage(browser, stage);
    await signIn(page, stage, "alice");
    stall();
    await ask(page, "What takes so long?");
    await page.getByText("So far this").waitFor();
    await page.getByRole("button", { name: "New conversation" }).click();
    expect(await listed(page)).toEqual(["What takes so long?"]);
    stage.voicebox.behave(undefined);
    await ask(page, "Who am I?");
    await page.getByText("You are alice.").waitFor();
    expect(await listed(page)).toEqual(["Who am I?", "What takes so long?"]);
    await page.getByRole("button", { name: "What takes so long?" }).click();
    await page.getByText("You stopped this answer.").waitFor();
  });

  it("when the page is left while an answer comes: the question is there, and can be asked again", async () => {
    const { page } = await openPage(browser, stage);
    await signIn(page, stage, "alice");
    stall();
    await ask(page, "What takes so long?");
    await page.getByText("So far this").waitFor();
    await page.getByRole("link", { name: "Me", exact: true }).click();
    await page.getByRole("heading", { name: "Alice Archer" }).waitFor();
    stage.voicebox.behave(undefined);
    await page.goBack();
    const turn = page.getByRole("article", { name: "What takes so long?" });
    await turn.getByText("The page was left before the answer was complete.").waitFor();
    await turn.getByRole("button", { name: "Ask again" }).click();
    await page.getByText("You are alice.").waitFor();
  });

  it("when one comes back from another page: the conversation is shown again and goes on", async () => {
    const { page } = await openPage(browser, stage);
    await signIn(page, stage, "alice");
    await ask(page, "Who am I?");
    await page.locator("figure.chain").waitFor();
    expect(await page.title()).toBe("Who am I? · Ask · Onbehalf");
    await page.getByRole("link", { name: /^trace/ }).click();
    await page.getByRole("heading", { name: "The chain" }).waitFor();
    await page.goBack();
    await page.getByText("You are alice.").waitFor();
    await page.getByRole("link", { name: "Ask", exact: true }).click();
    await page.getByRole("heading", { name: /What would you like to know/ }).waitFor();
  });

  it("when the session ended: the same person finds the conversation and the question is asked in it", async () => {
    const { page, context } = await openPage(browser, stage);
    await signIn(page, stage, "alice");
    await ask(page, "Who am I?");
    await page.locator("figure.chain").waitFor();
    const conversation = await page.evaluate("JSON.stringify(sessionStorage)");
    expect(conversation).toContain("Who am I?");
    await endSession(context);
    await ask(page, "And who is Bob?");
    await page.getByRole("link", { name: /Sign in again/ }).click();
    const turn = page.getByRole("article", { name: "And who is Bob?" });
    await page.locator("input[type=password]").or(turn).first().waitFor();
    if (await page.locator("input[type=password]").isVisible()) await signInAtProvider(page, "alice");
    await turn.getByText("You are alice.").waitFor();
    expect(await page.getByRole("article").count()).toBe(2);
    expect(await listed(page)).toEqual(["Who am I?"]);
  });
});

describe("what one person asked", () => {
  it("is not asked in the name of another who signs in instead, and not shown to them", async () => {
    const { page, context } = await openPage(browser, stage);
    await signIn(page, stage, "alice");
    await page.getByLabel("Your question").fill("Is my salary too high?");
    await endSession(context);
    await page.getByLabel("Your question").press("Enter");
    const way = await page.getByRole("link", { name: /Sign in again/ }).getAttribute("href");
    await context.clearCookies();
    await page.goto(stage.publicUrl + way);
    await signInAtProvider(page, "bob");
    await page.getByRole("heading", { name: /What would you like to know, Bob/ }).waitFor();
    expect(await page.getByRole("article").count()).toBe(0);
    expect(await page.evaluate("JSON.stringify(sessionStorage)")).not.toContain("salary");
  });

  it("is gone from the browser after signing out, also by the way back", async () => {
    const { page } = await openPage(browser, stage);
    await signIn(page, stage, "alice");
    await ask(page, "Is my salary too high?");
    await page.locator("figure.chain").waitFor();
    await page.getByRole("link", { name: "Me", exact: true }).click();
    await page.getByRole("button", { name: "Sign out", exact: true }).click();
    await page.waitForURL((url) => url.origin === stage.publicUrl && url.pathname === "/");
    expect(await page.evaluate("JSON.stringify(sessionStorage)")).toBe("{}");
    for (let steps = 0; steps < 3; steps += 1) {
      await page.goBack();
      await page.waitForLoadState();
      if (new URL(page.url()).origin !== stage.publicUrl) continue;
      expect(await page.content()).not.toContain("Alice Archer");
      expect(await page.content()).not.toContain("salary");
    }
  });
});

describe("where the keyboard is", () => {
  const focused = (page: Page) => page.evaluate("document.activeElement?.id || document.activeElement?.textContent");

  it("stays at hand when what it was on goes away", async () => {
    const { page } = await openPage(browser, stage);
    await signIn(page, stage, "alice");
    stall();
    await page.getByLabel("Your question").fill("What takes so long?");
    await page.getByRole("button", { name: "Ask", exact: true }).focus();
    await page.keyboard.press("Enter");
    await page.getByText("So far this").waitFor();
    expect(await focused(page)).toBe("stop");
    await page.keyboard.press("Enter");
    await page.getByText("You stopped this answer.").waitFor();
    await expect.poll(() => focused(page)).toBe("send");
  });

  it("stays in the field of who types the next question meanwhile", async () => {
    const { page } = await openPage(browser, stage);
    await signIn(page, stage, "alice");
    await ask(page, "Who am I?");
    await page.getByLabel("Your question").pressSequentially("And then?");
    await page.locator("figure.chain").waitFor();
    expect(await focused(page)).toBe("question");
    expect(await page.getByLabel("Your question").inputValue()).toBe("And then?");
  });
});
