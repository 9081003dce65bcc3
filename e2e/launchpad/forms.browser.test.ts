import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { openPage, signIn } from "./chromium.ts";
import { browser, shareStage, stage } from "./shared-stage.ts";

shareStage();

async function newApplication(page: Page, name: string) {
  await page.getByText("New application").click();
  const form = page.locator("form[action='/admin/apps']");
  await form.getByLabel("Name", { exact: true }).fill(name);
  return form;
}

describe("a form of the administrators' page", () => {
  it("that is refused comes back as it was filled in, and says in words what is wrong", async () => {
    const { page, complaints } = await openPage(browser, stage);
    await signIn(page, stage, "carol", "/admin");
    const form = await newApplication(page, "Filled with care");
    await form.getByLabel("Other sites").fill("intranet");
    await form.getByLabel("Questions to begin with").fill("Who am I?");
    await form.getByLabel("key alone").check();
    await form.getByLabel("signed-in page").uncheck();
    await form.getByRole("button").click();

    const alert = page.getByRole("alert");
    expect(await alert.textContent()).toBe("Other sites: expected addresses such as https://intranet.example.com");
    expect(await page.title()).toBe("Not saved · Onbehalf");
    expect(await form.getByLabel("Name", { exact: true }).inputValue()).toBe("Filled with care");
    expect(await form.getByLabel("Name", { exact: true }).isVisible()).toBe(true);
    expect(await form.getByLabel("Questions to begin with").inputValue()).toBe("Who am I?");
    expect(await form.getByLabel("key alone").isChecked()).toBe(true);
    expect(await form.getByLabel("signed-in page").isChecked()).toBe(false);

    // A slash too many is not worth a refusal, and would make an origin that no browser ever sends.
    await form.getByLabel("Other sites").fill("https://intranet.example.com/");
    await form.getByRole("button").click();
    await page.waitForURL(/app=filled-with-care/);
    expect(await page.getByText("https://intranet.example.com", { exact: true }).count()).toBe(1);

    const key = page.locator("form[action$='/filled-with-care/keys']");
    await key.getByLabel("New key").fill("laptop");
    await key.getByLabel("ends in days").fill("9999");
    await key.evaluate((element) => element.setAttribute("novalidate", ""));
    await key.getByRole("button").click();
    expect(await alert.textContent()).toBe("Days: expected a number from 1 to 3650");
    expect(await key.getByLabel("New key").inputValue()).toBe("laptop");
    expect(await key.getByLabel("New key").isVisible()).toBe(true);
    expect(complaints).toEqual([]);
  });

  it("is sent once, however often its button is pressed", async () => {
    const { page } = await openPage(browser, stage);
    await signIn(page, stage, "carol", "/admin");
    let sent = 0;
    await page.route("**/admin/apps", async (route) => {
      sent += 1;
      await new Promise((resolve) => setTimeout(resolve, 500));
      await route.continue().catch(() => {});
    });
    const form = await newApplication(page, "Only one");
    await form.getByRole("button").evaluate((button: { click(): void }) => {
      button.click();
      for (const later of [100, 200]) setTimeout(() => button.click(), later);
    });
    await page.waitForURL(/app=only-one/);
    expect(sent).toBe(1);
  });

  it("that deletes a key asks before, and says what comes of it", async () => {
    const { page } = await openPage(browser, stage);
    await signIn(page, stage, "carol", "/admin");
    const form = await newApplication(page, "With a key");
    await form.getByRole("button").click();
    await page.waitForURL(/app=with-a-key/);
    const keys = page.locator("form[action$='/with-a-key/keys']");
    await keys.getByLabel("New key").fill("laptop");
    await keys.getByRole("button").click();
    const row = page.getByRole("row", { name: /laptop/ });
    await row.getByText("Delete", { exact: true }).press("Enter");
    expect(await row.count()).toBe(1);
    await row.getByText("Programs that use it are refused from then on. This cannot be undone.").waitFor();
    await row.getByRole("button", { name: "Delete for good the key laptop" }).click();
    await page.waitForURL(/\/admin#apps$/);
    expect(await row.count()).toBe(0);
  });

  it("that comes after the end of the session is not lost: one signs in beside it and sends it again", async () => {
    const { page, context } = await openPage(browser, stage);
    await signIn(page, stage, "carol", "/admin");
    const form = await newApplication(page, "Written slowly");
    await form.getByLabel("Questions to begin with").fill('Who "is" <Bob>?\nWho am I?');
    await context.clearCookies({ name: "onbehalf_session" });
    await form.getByRole("button").click();
    await page.getByRole("heading", { name: "Please sign in" }).waitFor();
    const opened = context.waitForEvent("page");
    await page.getByRole("link", { name: "Sign in in a new tab" }).click();
    const beside = await opened;
    const password = beside.locator("input[type=password]");
    await password.or(beside.getByRole("heading", { name: /What would you like/ })).waitFor();
    if (await password.isVisible()) {
      await beside.locator("input:not([type=hidden]):not([type=password])").first().fill("carol");
      await password.fill("carol");
      await password.press("Enter");
      await beside.getByRole("heading", { name: /What would you like/ }).waitFor();
    }
    await beside.close();
    await page.getByRole("button", { name: "Send it again" }).click();
    await page.waitForURL(/app=written-slowly/);
    const settings = page.locator("form[action='/admin/apps/written-slowly']");
    expect(await settings.getByLabel("Questions to begin with").inputValue()).toBe('Who "is" <Bob>?\nWho am I?');
  });
});

describe("a page that cannot be shown", () => {
  it("keeps the way to every page one may see, and to no other", async () => {
    const links = async (user: string, path: string): Promise<string[]> => {
      const { page } = await openPage(browser, stage);
      await signIn(page, stage, user);
      await page.goto(stage.publicUrl + path);
      expect(await page.locator("main").textContent()).toMatch(/address|administrators/);
      return page.locator("header nav a").allTextContents();
    };
    expect(await links("alice", "/nowhere")).toEqual(["Ask", "Me", "API"]);
    expect(await links("alice", "/admin")).toEqual(["Ask", "Me", "API"]);
    expect(await links("carol", "/nowhere")).toEqual(["Ask", "Me", "Admin", "API"]);
  });

  it("says what to do next", async () => {
    const answer = await fetch(`${stage.publicUrl}/nowhere`, { headers: { accept: "text/html" } });
    expect(await answer.text()).toContain("Check it for a typing error, or begin at the start.");
  });

  it("does not repeat a form that another site sent", async () => {
    const answer = await fetch(`${stage.publicUrl}/admin/apps`, {
      method: "POST",
      headers: {
        accept: "text/html",
        origin: "https://evil.example",
        "content-type": "application/x-www-form-urlencoded",
      },
      body: "name=planted",
    });
    expect(answer.status).toBe(401);
    expect(await answer.text()).not.toContain("planted");
  });
});
