import { describe, expect, it } from "vitest";
import { ask, openPage, seriousProblems, sidewaysScroll, signIn } from "./chromium.ts";
import { browser, shareStage, stage } from "./shared-stage.ts";

shareStage();

describe("in a real browser", () => {
  it("signs in, asks, sees the answer and who was who, and signs out", async () => {
    const { page, strangers, complaints, context } = await openPage(browser, stage);
    await signIn(page, stage, "alice");
    await ask(page, "Who am I?");
    const turn = page.getByRole("article", { name: "Who am I?" });
    await turn.getByText("You are alice.").waitFor();
    expect(await turn.locator(".prose strong").textContent()).toBe("alice");

    const chain = turn.locator("figure.chain");
    await chain.waitFor();
    const text = await chain.textContent();
    for (const word of [
      "on behalf of Alice Archer",
      "Session cookie",
      "Exchanged token",
      "launchpad-backend",
      "fresh",
      "litellm-users",
    ]) {
      expect(text).toContain(word);
    }
    expect(await page.content()).not.toMatch(/eyJ[A-Za-z0-9_-]{10}/);

    await chain.getByRole("button", { name: "Launchpad: show claims" }).click();
    const claims = page.getByRole("dialog", { name: "What Launchpad saw" });
    expect(await claims.textContent()).toMatch(/sub\s*alice/);
    await page.keyboard.press("Escape");
    expect(await claims.isVisible()).toBe(false);

    await turn.getByText("SPARQL").click();
    expect(await turn.locator("pre").first().textContent()).toContain("SELECT");
    await turn.getByText(/^Table/).click();
    expect(await turn.getByRole("cell", { name: "Alice Archer" }).count()).toBe(1);

    await turn.getByRole("button", { name: "Copy as curl" }).click();
    expect(await page.evaluate("navigator.clipboard.readText()")).toContain(`'{"query":"Who am I?"}'`);

    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForURL((url) => url.origin !== stage.publicUrl || url.pathname === "/");
    expect((await context.cookies(stage.publicUrl)).map(({ name }) => name)).not.toContain("onbehalf_session");
    expect(strangers).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it("shows a hostile answer as text: no element, no script, no request comes of it", async () => {
    const { page, strangers, complaints } = await openPage(browser, stage);
    await signIn(page, stage, "bob");
    const hostile =
      '<img src="https://evil.example/x.png" onerror="document.title=1"><script>document.title=2</script> ![x](https://evil.example/y.png) [click](javascript:alert(1)) <a href="data:text/html,x">y</a>';
    stage.voicebox.behave((c, { path }) =>
      path.endsWith("/stream/ask")
        ? c.body(`${JSON.stringify({ result: hostile, actions: [], pending: false })}\n`, 200, {
            "content-type": "application/x-ndjson",
          })
        : undefined,
    );
    await ask(page, "What now?");
    await page.locator("figure.chain").waitFor();
    const answer = page.locator(".answer");
    expect(await answer.textContent()).toContain("<script>document.title=2</script>");
    expect(await answer.locator("img, script, [onerror]").count()).toBe(0);
    const hrefs = await answer.locator("a").evaluateAll((links) => links.map((link) => link.getAttribute("href")));
    expect(hrefs).toEqual(["https://evil.example/y.png"]);
    expect(await page.title()).toContain("Ask");
    expect(strangers).toEqual([]);
    expect(complaints).toEqual([]);
    stage.voicebox.behave(undefined);
  });

  it("does not let a script turn text into markup, whoever wrote it", async () => {
    const { page } = await openPage(browser, stage);
    await page.goto(stage.publicUrl);
    const tried = await page.evaluate(() => {
      try {
        const { document } = globalThis as unknown as { document: { body: { innerHTML: string } } };
        document.body.innerHTML = "<b>x</b>";
        return "written";
      } catch (error) {
        return error instanceof Error ? error.name : "refused";
      }
    });
    expect(tried).toBe("TypeError");
  });

  it("stops an answer at the button, keeps what was said, and asks again", async () => {
    const { page } = await openPage(browser, stage);
    await signIn(page, stage, "alice");
    let closed = 0;
    stage.voicebox.behave((c, { path }) =>
      path.endsWith("/stream/ask")
        ? c.body(
            slow(() => (closed += 1)),
            200,
            { "content-type": "application/x-ndjson" },
          )
        : undefined,
    );
    await ask(page, "Tell me everything");
    await page.getByText("So far this").waitFor();
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText("You stopped this answer.").waitFor();
    expect(await page.locator(".answer").textContent()).toContain("So far this");
    await expect.poll(() => closed, { timeout: 5_000 }).toBe(1);
    stage.voicebox.behave(undefined);
    await page.getByRole("button", { name: "Ask again" }).click();
    await page.getByText("You are alice.").waitFor();
  });

  it("says a refusal from below in words", async () => {
    const { page } = await openPage(browser, stage);
    await signIn(page, stage, "mallory");
    const message = "Your groups may not call this model. Ask for one of: litellm-users, litellm-developers.";
    stage.voicebox.behave((c, { path }) =>
      path.endsWith("/stream/ask") ? c.json({ error: "group_denied", message, request_id: "r" }, 403) : undefined,
    );
    await ask(page, "Who is Bob?");
    const alert = page.getByRole("alert").filter({ hasText: message });
    await alert.waitFor();
    stage.voicebox.behave(undefined);
  });

  it("keeps the question of a session that ended meanwhile, and asks it after signing in again", async () => {
    const { page, context } = await openPage(browser, stage);
    await signIn(page, stage, "alice");
    const [cookie] = (await context.cookies(stage.publicUrl)).filter(({ name }) => name === "onbehalf_session");
    await fetch(`${stage.publicUrl}/logout`, {
      method: "POST",
      redirect: "manual",
      headers: { cookie: `onbehalf_session=${cookie?.value}`, origin: stage.publicUrl },
    });
    await ask(page, "Was this lost?");
    await page.getByRole("link", { name: /Sign in again/ }).click();
    // The provider still knows her, or asks for the password again.
    const password = page.locator("input[type=password]");
    const turn = page.getByRole("article", { name: "Was this lost?" });
    await password.or(turn).first().waitFor();
    if (await password.isVisible()) {
      await page.locator("input:not([type=hidden]):not([type=password])").first().fill("alice");
      await password.fill("alice");
      await password.press("Enter");
    }
    await turn.getByText("You are alice.").waitFor();
  });

  it("goes through the provider for a step-up, and its question is asked afterwards", async () => {
    const { page } = await openPage(browser, stage);
    await signIn(page, stage, "bob");
    const challenge = Buffer.from('{"id_token":{"acr":null}}').toString("base64");
    stage.voicebox.behave((c, { path }) =>
      path.endsWith("/stream/ask")
        ? c.json({ error: "insufficient_claims", message: "more" }, 401, {
            "www-authenticate": `Bearer error="insufficient_claims", claims="${challenge}"`,
          })
        : undefined,
    );
    await ask(page, "Something secret?");
    const confirm = page.getByRole("link", { name: /Confirm it is you/ });
    await confirm.waitFor();
    stage.voicebox.behave(undefined);
    const request = page.waitForRequest((sent) => sent.url().includes("/v1/authorize"));
    await confirm.click();
    expect(new URL((await request).url()).searchParams.get("claims")).toBe('{"id_token":{"acr":null}}');
    const password = page.locator("input[type=password]");
    const turn = page.getByRole("article", { name: "Something secret?" });
    await password.or(turn).first().waitFor();
    if (await password.isVisible()) {
      await page.locator("input:not([type=hidden]):not([type=password])").first().fill("bob");
      await password.fill("bob");
      await password.press("Enter");
    }
    await turn.getByText("You are bob.").waitFor();
  });

  it("lets an administrator make an application and a key, which then works for a program", async () => {
    const { page, complaints } = await openPage(browser, stage);
    await signIn(page, stage, "carol", "/admin");
    await page.getByText("New application").click();
    await page.getByLabel("Name", { exact: true }).fill("Nightly report");
    await page.getByRole("button", { name: "Create application" }).click();
    await page.getByLabel("New key").fill("laptop");
    await page.getByRole("button", { name: "Make key" }).click();
    const key = (await page.locator("#new-key").textContent()) ?? "";
    const headers = {
      authorization: `Bearer ${await stage.tokenOf("alice")}`,
      "x-voicebox-app-key": key,
      "x-client-id": "curl",
      "content-type": "application/json",
    };
    const answer = await fetch(`${stage.publicUrl}/api/v1/voicebox/ask`, {
      method: "POST",
      headers,
      body: '{"message":"Who am I?"}',
    });
    expect(await answer.json()).toMatchObject({ result: "You are **alice**." });
    expect(stage.voicebox.received.at(-1)?.body.app).toMatchObject({ id: "nightly-report" });
    expect(complaints).toEqual([]);
  });
});

describe("every page", () => {
  const widths = [1280, 800, 360, 320];
  it.each(["light", "dark"] as const)(
    "has nothing serious for axe-core and does not scroll sideways, %s",
    { timeout: 120_000 },
    async (colorScheme) => {
      const { page, complaints, strangers } = await openPage(browser, stage);
      await page.emulateMedia({ colorScheme });
      const problems: string[] = [];
      const look = async (name: string): Promise<void> => {
        for (const width of widths) {
          await page.setViewportSize({ width, height: 900 });
          const sideways = await sidewaysScroll(page);
          if (sideways > 0) problems.push(`${name} at ${width}px scrolls ${sideways}px sideways`);
          problems.push(...(await seriousProblems(page)).map((problem) => `${name} at ${width}px: ${problem}`));
        }
      };
      await page.goto(stage.publicUrl);
      await look("sign-in");
      await page.goto(`${stage.publicUrl}/oauth/okta/redirect?error=access_denied`);
      await look("failed sign-in");
      await page.goto(`${stage.publicUrl}/signed-out`);
      await look("signed out");
      await page.goto(`${stage.publicUrl}/api/v1/docs`);
      await look("docs");
      await signIn(page, stage, "carol");
      await look("ask");
      await ask(page, "Who am I?");
      await page.locator("figure.chain").waitFor();
      await look("answer");
      await page.getByRole("button", { name: "Launchpad: show claims" }).click();
      await look("claims");
      for (const path of ["/me", "/admin", "/nowhere"]) {
        await page.goto(stage.publicUrl + path);
        await look(path);
      }
      await page.goto(`${stage.publicUrl}/admin`);
      for (const fold of await page.locator("details").all())
        await fold.evaluate((element) => element.setAttribute("open", ""));
      await look("admin, unfolded");
      expect(await page.content()).toContain("a-model-with-a-very-long-name");
      expect(await page.content()).not.toContain("9,999");
      expect(problems).toEqual([]);
      expect(strangers).toEqual([]);
      expect(complaints).toEqual([]);
    },
  );

  it("can be used by keyboard alone", async () => {
    const { page } = await openPage(browser, stage);
    await signIn(page, stage, "alice");
    await page.keyboard.type("Who am I?");
    await page.keyboard.press("Enter");
    await page.locator("figure.chain").waitFor();
    for (let at = 0; at < 40; at += 1) {
      await page.keyboard.press("Tab");
      const label = await page.evaluate("document.activeElement?.getAttribute('aria-label')");
      if (label === "Launchpad: show claims") break;
    }
    await page.keyboard.press("Enter");
    expect(await page.getByRole("dialog", { name: "What Launchpad saw" }).isVisible()).toBe(true);
  });
});

function slow(onCancel: () => void): ReadableStream<Uint8Array> {
  const line = new TextEncoder().encode(`${JSON.stringify({ result: "So far this", actions: [], pending: true })}\n`);
  let isOpen = true;
  return new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      if (isOpen) controller.enqueue(line);
    },
    cancel() {
      isOpen = false;
      onCancel();
    },
  });
}
