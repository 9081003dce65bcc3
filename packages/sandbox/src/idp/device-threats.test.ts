import { describe, expect, test } from "vitest";
import { createCodeGuesses } from "./code-guesses.ts";
import { maxWaitingCodes, withDeviceBounds } from "./device-bounds.ts";
import { grantTypes } from "./grant-types.ts";
import { openState } from "./state.ts";
import { type Form, post, providerForTest } from "./testing.ts";

/** A device that asked, and a browser without a session at the page. */
async function begun(form: Form = {}, clientId = "claude-code", issuerName = "default") {
  const { provider, logs } = await providerForTest();
  const issuer = provider.issuerUrl(issuerName);
  const begin = () =>
    post(`${issuer}/v1/device_authorization`, { client_id: clientId, scope: "openid llm-gateway", ...form });
  const { body } = await begin();
  const poll = async () => {
    const grant = { grant_type: grantTypes.deviceCode, device_code: String(body.device_code), client_id: clientId };
    return (await post(`${issuer}/v1/token`, grant)).body.error;
  };
  return {
    provider,
    issuer,
    begin,
    userCode: String(body.user_code),
    link: String(body.verification_uri_complete),
    poll,
    logs,
  };
}

/** A page, with what its form needs to be sent. */
async function opened(address: string, cookie = "") {
  const response = await fetch(address, { headers: { accept: "text/html", cookie } });
  const html = await response.text();
  const set = response.headers.getSetCookie().map((line) => line.split(";")[0]);
  const xsrf = /name="xsrf" value="([^"]+)"/.exec(html)?.[1] ?? "";
  const submit = (form: Record<string, string>, headers: Record<string, string> = {}) =>
    fetch(address.replace(/\?.*/, ""), {
      method: "POST",
      redirect: "manual",
      headers: { accept: "text/html", cookie: set.join("; "), ...headers },
      body: new URLSearchParams({ xsrf, ...form }),
    });
  return { response, html, submit };
}

describe("the page for the code (RFC 8628, sections 3.3 and 5)", () => {
  test("a code that came with the link still waits for somebody to say yes", async () => {
    const { link, userCode, poll } = await begun();
    const { response, html } = await opened(link);
    expect(response.status).toBe(200);
    expect(html).toContain(`<p class="code" id="code">${userCode}</p>`);
    expect(html).toContain('name="confirm"');
    expect(html).not.toContain("<script");
    expect(await poll()).toBe("authorization_pending");
  });

  test("it names the application, what it gets, and for how long", async () => {
    const { link } = await begun({ scope: "openid email llm-gateway litellm_proxy_admin offline_access" });
    const { html } = await opened(link);
    expect(html).toContain("<h1>Sign in to Claude Code?</h1>");
    expect(html).toContain('<dd id="audience">llm-gateway</dd>');
    expect(html).toContain('<dd id="scopes">llm-gateway, litellm_proxy_admin</dd>');
    expect(html).toMatch(/id="lasts">until revoked or long unused/);
    const brief = await opened((await begun()).link);
    expect(brief.html).toContain('id="lasts">until your session here ends');
  });

  test.each([
    [{ audience: "voicebox" }, "voicebox"],
    [{ audience: "launchpad", resource: "urn:onbehalf:audience:voicebox" }, "voicebox"],
    // At Zitadel a token for Launchpad is good for the whole chain, and so the page must say.
    [{ audience: "launchpad" }, "launchpad, voicebox, llm-gateway"],
  ])("%j: it names whom the token will really be good for", async (form, named) => {
    const { link } = await begun(form, "sandbox-cli", "zitadel");
    expect((await opened(link)).html).toContain(`<dd id="audience">${named}</dd>`);
  });

  test("what the device says of itself is shown as text, never as markup", async () => {
    const { issuer } = await begun();
    const start = await fetch(`${issuer}/v1/device_authorization`, {
      method: "POST",
      headers: { "user-agent": `<img src=x>${"a".repeat(200)}` },
      body: new URLSearchParams({ client_id: "claude-code", scope: "openid <img/src=y>" }),
    });
    const { verification_uri_complete: link } = (await start.json()) as { verification_uri_complete: string };
    const { html } = await opened(link);
    expect(html).toContain("&lt;img src=x&gt;aaa");
    expect(html).not.toContain("a".repeat(81));
    expect(html).not.toContain("<img");
  });

  test("loads nothing, cannot be framed, and is not kept; so are the pages after it", async () => {
    const { link, userCode, issuer } = await begun();
    const entry = await opened(`${issuer}/v1/device`);
    const wrong = await entry.submit({ user_code: "BBBB-BBBB" });
    const confirm = await (await opened(`${issuer}/v1/device`)).submit({ user_code: userCode });
    const refused = await (await opened(link)).submit({ user_code: userCode, abort: "yes" });
    for (const response of [entry.response, wrong, confirm, refused]) {
      const policy = response.headers.get("content-security-policy") ?? "";
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toContain("unsafe");
      expect(response.headers.get("cache-control")).toBe("no-store");
    }
    expect([wrong.status, confirm.status, refused.status]).toEqual([400, 200, 200]);
  });

  test("refused by the person: access_denied, and nobody can say yes any more", async () => {
    const { link, userCode, poll } = await begun();
    const page = await opened(link);
    expect(await (await page.submit({ user_code: userCode, abort: "yes" })).text()).toContain("<h1>Refused</h1>");
    expect(await (await opened(link)).html).toContain("This code was used already");
    expect(await poll()).toBe("access_denied");
  });

  test("a form that is not of the page this browser was shown last is refused, and signs nobody in", async () => {
    const { link, userCode, poll } = await begun();
    const { submit } = await opened(link);
    const yes = { user_code: userCode, confirm: "yes" };
    const refused = await Promise.all([
      submit({ ...yes, xsrf: "" }),
      submit({ ...yes, xsrf: "0".repeat(48) }),
      submit(yes, { cookie: "" }),
    ]);
    expect(refused.map(({ status }) => status)).toEqual([400, 400, 400]);
    expect(await refused[0]?.text()).toContain("That form was not from this page");
    expect(await refused[2]?.text()).toContain("sent no cookie");
    expect(await poll()).toBe("authorization_pending");
  });

  test("a sign-in that was begun in another browser does not go on in this one", async () => {
    const { link, userCode, poll } = await begun();
    const { submit } = await opened(link);
    const confirmed = await submit({ user_code: userCode, confirm: "yes" });
    const resumed = confirmed.headers.getSetCookie().find((line) => line.startsWith("idp_default_resume="));
    const way = /path=([^;]+)/.exec(resumed ?? "")?.[1] ?? "";
    expect(way).toMatch(/\/v1\/device\/./);
    const { response, html } = await opened(new URL(way, link).href);
    expect([response.status, html]).toEqual([400, expect.stringContaining("sent no cookie")]);
    expect(await poll()).toBe("authorization_pending");
  });

  test("what was typed is read without regard to dash, spaces and case", async () => {
    const { issuer, userCode } = await begun();
    const { submit } = await opened(`${issuer}/v1/device`);
    const typed = ` ${userCode.toLowerCase().replace("-", " ")} `;
    expect(await (await submit({ user_code: typed })).text()).toContain(`id="code">${userCode}<`);
  });

  test("the log says which client asked, and no line of it has a code", async () => {
    const { link, userCode, poll, logs } = await begun();
    await opened(link);
    await poll();
    expect(logs.lines()).toContainEqual(
      expect.objectContaining({ endpoint: "device_authorization", client_id: "claude-code" }),
    );
    const lines = JSON.stringify(logs.lines());
    for (const part of userCode.split("-")) expect(lines).not.toContain(part);
  });
});

describe("guessing codes", () => {
  test("is over after thirty wrong ones, by link and by form, all at once and in ever new browsers", async () => {
    const { issuer, userCode, link } = await begun();
    const guess = (number: number) => `${issuer}/v1/device?user_code=BBBB-${String(number).padStart(4, "B")}`;
    const answers = await Promise.all(Array.from({ length: 40 }, (_, number) => opened(guess(number))));
    const statuses = answers.map(({ response }) => response.status);
    expect([400, 429].map((status) => statuses.filter((one) => one === status).length)).toEqual([30, 10]);
    // Even the right one is not looked up now, or the limit would tell it apart.
    const right = await opened(link);
    expect([right.response.status, right.response.headers.get("retry-after")]).toEqual([429, "60"]);
    expect(right.html).toContain("Too many wrong codes");
    expect((await right.submit({ user_code: userCode, confirm: "yes" })).status).toBe(429);
  });

  test("codes that exist are not held against anybody", async () => {
    const { link } = await begun();
    for (let number = 0; number < 35; number += 1) expect((await opened(link)).response.status).toBe(200);
  });

  test("the bound is of a window that moves on", () => {
    const guesses = createCodeGuesses();
    const at = (seconds: number) => guesses.begin(seconds * 1000);
    for (let number = 0; number < 30; number += 1) expect(at(number)).toBeDefined();
    expect(at(59)).toBeUndefined();
    const takeBack = at(60);
    expect(at(60.5)).toBeUndefined();
    takeBack?.();
    expect(at(60.5)).toBeDefined();
  });
});

describe("codes that wait", () => {
  test("are bounded: no further one is kept, but those there are can be answered", async () => {
    const state = openState(undefined);
    const waiting = () => state.waitingDeviceCodes("default");
    const codes = withDeviceBounds(state.adapter("default", "DeviceCode"), { guesses: createCodeGuesses(), waiting });
    for (let number = 0; number < maxWaitingCodes; number += 1) {
      await codes.upsert(`${number}`, { userCode: `${number}` }, 600);
    }
    await state.adapter("llm", "DeviceCode").upsert("other", { userCode: "other" }, 600);
    await expect(codes.upsert("more", {}, 600)).rejects.toMatchObject({
      error: "temporarily_unavailable",
      status: 503,
    });
    await codes.upsert("7", { userCode: "7", accountId: "alice" }, 600);
    expect(waiting()).toBe(maxWaitingCodes - 1);
    await codes.upsert("more", { userCode: "more" }, 600);
    state.close();
  });

  test("do not count when they have expired", async () => {
    const state = openState(undefined);
    await state.adapter("default", "DeviceCode").upsert("1", { userCode: "1" }, 0);
    expect(state.waitingDeviceCodes("default")).toBe(0);
    expect(await state.adapter("default", "DeviceCode").find("1")).toBeDefined();
    state.close();
  });

  test("the endpoint says so", async () => {
    const { begin } = await begun();
    const codes = await Promise.all(Array.from({ length: maxWaitingCodes }, begin));
    expect(codes.filter(({ status }) => status === 200)).toHaveLength(maxWaitingCodes - 1);
    const refused = await begin();
    expect([refused.status, refused.body.error]).toEqual([503, "temporarily_unavailable"]);
  });
});
