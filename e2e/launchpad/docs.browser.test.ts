import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { ask, openPage, signIn } from "./chromium.ts";
import { browser, shareStage, stage } from "./shared-stage.ts";
import { startStage } from "./stage.ts";

const env = {
  API_AUTH_REQUIRED_SCOPES: "openid",
  API_DOCS_TOKEN_COMMAND: 'printf %s "$TOKEN_OF_THIS_TEST"',
  API_DOCS_KEY_COMMAND: 'printf %s "$KEY_OF_THIS_TEST"',
};
shareStage({ env });

/** Pastes a text into a shell. */
async function paste(text: string): Promise<unknown> {
  const secrets = { TOKEN_OF_THIS_TEST: await stage.tokenOf("alice"), KEY_OF_THIS_TEST: stage.appKey };
  const { stdout } = await promisify(execFile)("sh", ["-c", text], { env: { ...process.env, ...secrets } });
  return JSON.parse(stdout);
}

const copied = "navigator.clipboard.readText()";

describe("the API page", () => {
  it("has a line that works as it is copied, and says what each header carries", async () => {
    const { page, complaints } = await openPage(browser, stage);
    await page.goto(`${stage.publicUrl}/api/v1/docs`);
    await page.getByRole("button", { name: "Copy: on behalf of a user" }).click();
    await page.getByText("Copied").waitFor();
    expect(await paste((await page.evaluate(copied)) as string)).toMatchObject({ result: "You are **alice**." });

    await page.getByRole("button", { name: "Copy: with the key alone" }).click();
    // This application takes no key alone, and says so: the line itself is right.
    expect(await paste((await page.evaluate(copied)) as string)).toMatchObject({ error: "user_token_required" });

    const table = page.getByRole("table", { name: "Headers" });
    const rows = await table.locator("tbody tr").evaluateAll((all) => all.map((row) => row.textContent));
    const names = ["Authorization", "X-Voicebox-App-Key", "X-Client-Id", "X-SD-Auth-Token", "Content-Type"];
    expect(rows.map((row) => names.find((name) => row?.startsWith(name)))).toEqual(names);
    const text = (await page.locator("main").textContent()) ?? "";
    expect(text).toContain("/oauth2/partner");
    expect(text).toMatch(/audience\s*launchpad/);
    expect(text).toMatch(/scopes\s*openid/);
    expect(text).not.toContain("`");
    expect(complaints).toEqual([]);
  });

  it("keeps the way back to the other pages for who is signed in", async () => {
    const { page } = await openPage(browser, stage);
    await signIn(page, stage, "carol", "/");
    await page.getByRole("link", { name: "API", exact: true }).click();
    expect(await page.locator("header nav a").allTextContents()).toEqual(["Ask", "Me", "Admin", "API"]);
    expect(await page.locator("header nav a[aria-current]").textContent()).toBe("API");
  });

  it("gives the same line for a question that was asked on the page", async () => {
    const { page } = await openPage(browser, stage);
    await signIn(page, stage, "alice");
    await ask(page, 'Who\'s "there", $HOME?\nIt is me');
    await page.getByLabel("Your question").fill("");
    await page.locator("figure.chain").waitFor();
    await page.getByRole("button", { name: "Copy as curl" }).click();
    await page.getByRole("button", { name: "Copied" }).waitFor();
    expect(await paste((await page.evaluate(copied)) as string)).toMatchObject({ result: "You are **alice**." });
    expect(stage.voicebox.received.at(-1)?.body.query).toBe('Who\'s "there", $HOME?\nIt is me');
  });

  it("says that copying is not possible where the browser does not let it", async () => {
    const { page, context } = await openPage(browser, stage);
    await context.addInitScript("Object.defineProperty(navigator, 'clipboard', { value: undefined })");
    await page.goto(`${stage.publicUrl}/api/v1/docs`);
    await page.getByRole("button", { name: "Copy: with the key alone" }).click();
    await page.getByText("Not copied: mark it and copy it by hand").waitFor();
  });
});

describe("without commands for the token and the key", () => {
  it("the line has names in their places, which are explained", async () => {
    const plain = await startStage();
    try {
      const html = await (await fetch(`${plain.publicUrl}/api/v1/docs`)).text();
      expect(html).toContain("Authorization: Bearer $ACCESS_TOKEN");
      expect(html).toContain("X-Voicebox-App-Key: $APP_KEY");
      expect(html).not.toContain("sandbox");
    } finally {
      await plain.close();
    }
  });
});
