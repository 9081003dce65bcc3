import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { BrowserContextOptions } from "playwright-core";
import { describe, expect, onTestFinished, test } from "vitest";
import { expectSound, looks, useBrowser } from "./browser-testing.ts";
import { providerForTest } from "./testing.ts";

const openPage = useBrowser();

/** An application that shows where it was sent, and the provider it sends people to. */
async function signInAt(options: BrowserContextOptions = {}) {
  const application = createServer((incoming, outgoing) => {
    outgoing.writeHead(200, { "content-type": "text/html" }).end(`<title>back</title>${incoming.method}`);
  });
  application.listen(0, "127.0.0.1");
  await once(application, "listening");
  const home = `http://localhost:${(application.address() as AddressInfo).port}`;
  const { provider } = await providerForTest({ launchpadUrl: home });
  onTestFinished(() => {
    application.close();
    application.closeAllConnections();
  });
  const { page, complaints, hosts } = await openPage(options);
  const request = (more: Record<string, string> = {}): string => {
    const parameters = {
      response_type: "code",
      client_id: "launchpad",
      redirect_uri: `${home}/oauth/okta/redirect`,
      scope: "openid",
      state: "state",
      code_challenge: "a".repeat(43),
      code_challenge_method: "S256",
      ...more,
    };
    return `${provider.issuerUrl("default")}/v1/authorize?${new URLSearchParams(parameters)}`;
  };
  return { page, provider, home, request, complaints, hosts };
}

const back = /\/oauth\/okta\/redirect\?code=/;

describe("the login page", () => {
  test("signs in from the keyboard alone, with a wrong password first", async () => {
    const { page, request, hosts, provider, home } = await signInAt();
    await page.goto(request());
    expect(await page.evaluate("document.activeElement.id")).toBe("username");
    await page.keyboard.type("alice");
    await page.keyboard.press("Tab");
    await page.keyboard.type("wrong");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").waitFor();
    expect(await page.getByRole("alert").textContent()).toContain("do not match");
    expect(await page.evaluate("document.activeElement.id")).toBe("password");
    await page.keyboard.type("alice");
    await page.keyboard.press("Enter");
    await page.waitForURL(back);
    expect([...hosts].sort()).toEqual([new URL(provider.url).host, new URL(home).host].sort());
  });

  test("signs in a demo user by one click, and another one in the same browser afterwards", async () => {
    const { page, request, complaints } = await signInAt();
    await page.goto(request());
    await page.getByRole("button", { name: "Sign in as bob" }).click();
    await page.waitForURL(back);
    await page.goto(request({ prompt: "login" }));
    await page.getByRole("button", { name: "Sign in as carol" }).click();
    await page.waitForURL(back);
    expect(complaints).toEqual([]);
  });

  test("cancels back to the application", async () => {
    const { page, request } = await signInAt();
    await page.goto(request());
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.waitForURL(/\/oauth\/okta\/redirect\?error=access_denied/);
  });
});

describe("sign-out", () => {
  test("by an application goes there and back without a click, under the page's own policy", async () => {
    const { page, request, provider, home, complaints } = await signInAt();
    await page.goto(request({ client_id: "launchpad" }));
    await page.getByRole("button", { name: "Sign in as alice" }).click();
    await page.waitForURL(back);
    const { signIn } = await import("../token.ts");
    const { idToken = "" } = await signIn({
      issuer: provider.issuerUrl("default"),
      user: "alice",
      clientId: "launchpad",
      clientSecret: "launchpad-secret",
      redirectUri: `${home}/oauth/okta/redirect`,
      scope: "openid",
    });
    const parameters = { id_token_hint: idToken, post_logout_redirect_uri: `${home}/`, state: "bye" };
    await page.goto(`${provider.issuerUrl("default")}/v1/logout?${new URLSearchParams(parameters)}`);
    await page.waitForURL(`${home}/?state=bye`);
    await page.goto(request());
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    expect(complaints).toEqual([]);
  });

  test("by a link asks, and can be declined", async () => {
    const { page, request, provider } = await signInAt();
    await page.goto(request());
    await page.getByRole("button", { name: "Sign in as alice" }).click();
    await page.waitForURL(back);
    await page.goto(`${provider.issuerUrl("default")}/v1/logout`);
    await page.getByRole("button", { name: "Stay signed in" }).click();
    await page.goto(request());
    await page.waitForURL(back);
    await page.goto(`${provider.issuerUrl("default")}/v1/logout`);
    await page.getByRole("button", { name: "Sign out", exact: true }).click();
    await page.getByRole("heading", { name: "You are signed out" }).waitFor();
  });
});

describe.each(looks)("every page %s", (_name, options) => {
  test("has nothing axe-core objects to and does not scroll sideways", async () => {
    const { page, request, provider } = await signInAt(options);
    const check = (name: string) => expectSound(page, name);
    await page.goto(provider.url);
    await check("index");
    await page.goto(request());
    await check("sign in");
    await page.locator("#username").fill("alice");
    await page.locator("#password").fill("wrong");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").waitFor();
    await check("wrong password");
    await page.goto(request({ acr_values: "urn:onbehalf:acr:step-up" }));
    await check("step-up");
    await page.goto(request({ client_id: "nobody" }));
    await check("error");
    await page.goto(request());
    await page.getByRole("button", { name: "Sign in as alice" }).click();
    await page.waitForURL(back);
    await page.goto(`${provider.issuerUrl("default")}/v1/logout`);
    await check("sign out");
    await page.getByRole("button", { name: "Sign out", exact: true }).click();
    await page.getByRole("heading", { name: "You are signed out" }).waitFor();
    await check("signed out");
  });
});
