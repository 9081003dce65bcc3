import type { BrowserContextOptions, Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { expectSound, looks, useBrowser } from "./browser-testing.ts";
import { grantTypes } from "./grant-types.ts";
import { claimsIn, post, providerForTest } from "./testing.ts";

const openPage = useBrowser();

/** Somebody's browser, and devices that ask for them. */
async function browserAt(options: BrowserContextOptions = {}) {
  const { provider } = await providerForTest();
  const issuer = provider.issuerUrl("default");
  const { page, complaints, hosts } = await openPage(options);
  const device = async (scope = "openid llm-gateway offline_access") => {
    const { body } = await post(`${issuer}/v1/device_authorization`, { client_id: "claude-code", scope });
    const poll = () => {
      const form = { client_id: "claude-code", device_code: String(body.device_code) };
      return post(`${issuer}/v1/token`, { grant_type: grantTypes.deviceCode, ...form });
    };
    return { link: String(body.verification_uri_complete), userCode: String(body.user_code), poll };
  };
  return { provider, issuer, page, complaints, hosts, device };
}

const done = (page: Page) => page.getByRole("heading", { name: "You are signed in" }).waitFor();
const yes = (page: Page) => page.getByRole("button", { name: "Yes, the code is the same" });

describe("signing in a device", () => {
  test("from the keyboard alone: a wrong code, the right one in small letters, confirmed, and the password", async () => {
    const { page, issuer, provider, device, complaints, hosts } = await browserAt();
    const { userCode, poll } = await device();
    await page.goto(`${issuer}/v1/device`);
    expect(await page.evaluate("document.activeElement.id")).toBe("user_code");
    await page.keyboard.type("bbbb-bbbb");
    await page.keyboard.press("Enter");
    expect(await page.getByRole("alert").textContent()).toContain("There is no such code");
    expect(await page.evaluate("document.activeElement.id")).toBe("user_code");
    await page.keyboard.type(userCode.toLowerCase().replace("-", ""));
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Sign in to Claude Code?" }).waitFor();
    expect(await page.locator("#code").textContent()).toBe(userCode);
    // Nothing is chosen for them: the first stop of the Tab key is the button, and Enter without it does nothing.
    await page.keyboard.press("Enter");
    expect((await poll()).body.error).toBe("authorization_pending");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Sign in", exact: true }).waitFor();
    await page.keyboard.type("bob");
    await page.keyboard.press("Tab");
    await page.keyboard.type("bob");
    await page.keyboard.press("Enter");
    await done(page);
    expect(claimsIn(await poll())).toMatchObject({ sub: "bob", aud: "llm-gateway" });
    // The browser reports the wrong code's status; no policy is broken and nothing comes from elsewhere.
    expect(complaints.filter((complaint) => !complaint.includes("status of 400"))).toEqual([]);
    expect([...hosts]).toEqual([new URL(provider.url).host]);
  });

  test("by the link: confirm and one click; the next device needs the confirmation only, and says whose it is", async () => {
    const { page, device, complaints } = await browserAt();
    const first = await device();
    await page.goto(first.link);
    expect(await page.locator("#who").count()).toBe(0);
    await yes(page).click();
    await page.getByRole("button", { name: "Sign in as carol" }).click();
    await done(page);
    const second = await device();
    await page.goto(second.link);
    expect(await page.locator("#who").textContent()).toContain("carol");
    expect((await second.poll()).body.error).toBe("authorization_pending");
    await yes(page).click();
    await done(page);
    expect(claimsIn(await second.poll()).sub).toBe("carol");
    expect(complaints).toEqual([]);
  });

  test("somebody else can sign out first, and then sign in", async () => {
    const { page, device } = await browserAt();
    await page.goto((await device()).link);
    await yes(page).click();
    await page.getByRole("button", { name: "Sign in as carol" }).click();
    await done(page);
    const { link, poll } = await device();
    await page.goto(link);
    await page.getByRole("link", { name: "sign out" }).click();
    await page.getByRole("button", { name: "Sign out", exact: true }).click();
    await page.goto(link);
    await yes(page).click();
    await page.getByRole("button", { name: "Sign in as alice" }).click();
    await done(page);
    expect(claimsIn(await poll()).sub).toBe("alice");
  });

  test("refused at the code or at the password: the device is told", async () => {
    const { page, device } = await browserAt();
    const [atCode, atPassword] = [await device(), await device()];
    await page.goto(atCode.link);
    await page.getByRole("button", { name: "No, refuse" }).click();
    await page.getByRole("heading", { name: "Refused" }).waitFor();
    await page.goto(atPassword.link);
    await yes(page).click();
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("heading", { name: "Refused" }).waitFor();
    expect((await atCode.poll()).body.error).toBe("access_denied");
    expect((await atPassword.poll()).body.error).toBe("access_denied");
  });

  test("of two open pages the older one says that it is, and can be used all the same", async () => {
    const { page, device } = await browserAt();
    const { link, userCode, poll } = await device();
    await page.goto(link);
    const newer = await page.context().newPage();
    await newer.goto(link);
    await yes(page).click();
    expect(await page.getByRole("alert").textContent()).toContain("replaced by a newer one");
    await page.keyboard.type(userCode);
    await page.keyboard.press("Enter");
    await yes(page).click();
    await page.getByRole("button", { name: "Sign in as bob" }).click();
    await done(page);
    await newer.reload();
    expect(await newer.getByRole("alert").textContent()).toContain("This code was used already");
    expect((await poll()).status).toBe(200);
  });
});

describe.each(looks)("every page for devices %s", (_name, options) => {
  test("has nothing axe-core objects to and does not scroll sideways", async () => {
    const { page, issuer, device } = await browserAt(options);
    const check = (name: string) => expectSound(page, name);
    await page.goto(`${issuer}/v1/device`);
    await check("code");
    await page.goto(`${issuer}/v1/device?user_code=BBBB-BBBB`);
    await check("wrong code");
    await page.goto((await device("openid llm-gateway litellm_proxy_admin offline_access")).link);
    await check("confirm");
    await yes(page).click();
    await page.getByRole("button", { name: "Sign in as alice" }).click();
    await done(page);
    await check("done");
    await page.goto((await device()).link);
    await check("confirm, signed in");
    await page.getByRole("button", { name: "No, refuse" }).click();
    await check("refused");
  });
});
