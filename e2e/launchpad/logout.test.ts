import { signIn } from "@onbehalf/sandbox/token";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sessionCookie, sessionStatus } from "./browser-steps.ts";
import { type Stage, startStage } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage?.close());

const form = (origin: string, fields: Record<string, string> = {}): RequestInit => ({
  method: "POST",
  headers: { origin, "content-type": "application/x-www-form-urlencoded" },
  body: new URLSearchParams(fields),
});

describe("signing out", () => {
  it("ends the session on the server: a copied cookie is worth nothing", async () => {
    const alice = stage.person();
    await alice.signIn("alice");
    const copied = alice.cookies.get(sessionCookie);
    const answer = await alice.fetch(`${stage.publicUrl}/logout`, form(stage.publicUrl));
    expect(answer.status).toBe(303);
    expect(answer.headers.get("location")).toBe("/signed-out");
    expect(alice.cookies.get(sessionCookie)).toBeUndefined();
    expect(await sessionStatus(stage, copied)).toBe(401);
    const told = stage.voicebox.received.findLast(({ path }) => path === "/api/session");
    expect(told?.identity.subject).toBe("alice");
  });

  it("goes on to the provider's own sign-out by a step of its own, once, with the ID token only in that address", async () => {
    const alice = stage.person();
    await alice.signIn("alice");
    await alice.fetch(`${stage.publicUrl}/logout`, form(stage.publicUrl));
    const page = await (await alice.fetch(`${stage.publicUrl}/signed-out`)).text();
    expect(page).toContain("url=/logout/provider");
    expect(page).not.toMatch(/eyJ/);
    const onward = await alice.fetch(`${stage.publicUrl}/logout/provider`);
    const location = new URL(onward.headers.get("location") ?? "");
    expect(location.href).toContain(`${stage.provider().issuerUrl("default")}/v1/logout`);
    expect(location.searchParams.get("post_logout_redirect_uri")).toBe(`${stage.publicUrl}/`);
    expect(location.searchParams.get("id_token_hint")).toMatch(/^eyJ/);
    const again = await alice.fetch(`${stage.publicUrl}/logout/provider`);
    expect(again.headers.get("location")).toBe("/signed-out");
  });

  it("everywhere ends all of one's own sessions and nobody else's", async () => {
    const [one, two, bob] = [stage.person(), stage.person(), stage.person()];
    await one.signIn("alice");
    await two.signIn("alice");
    await bob.signIn("bob");
    await one.fetch(`${stage.publicUrl}/logout`, form(stage.publicUrl, { everywhere: "1" }));
    expect(await sessionStatus(stage, two.cookies.get(sessionCookie))).toBe(401);
    expect(await sessionStatus(stage, bob.cookies.get(sessionCookie))).toBe(200);
  });

  it("lists one's sessions and ends one of them, but not another person's", async () => {
    const [here, there, bob] = [stage.person(), stage.person(), stage.person()];
    await here.signIn("carol");
    await there.signIn("carol");
    await bob.signIn("bob");
    interface Listed {
      sessions: { id: string; current: boolean }[];
    }
    const list = async (who: typeof here) =>
      ((await (await who.fetch(`${stage.publicUrl}/api/sessions`)).json()) as Listed).sessions;
    const mine = await list(here);
    expect(mine).toHaveLength(2);
    const other = mine.find(({ current }) => !current)?.id;
    const headers = { origin: stage.publicUrl };
    const end = (who: typeof here) =>
      who.fetch(`${stage.publicUrl}/api/sessions/${other}`, { method: "DELETE", headers });
    expect((await end(bob)).status).toBe(404);
    expect(await sessionStatus(stage, there.cookies.get(sessionCookie))).toBe(200);
    expect((await end(here)).status).toBe(204);
    expect(await sessionStatus(stage, there.cookies.get(sessionCookie))).toBe(401);
    expect(await sessionStatus(stage, here.cookies.get(sessionCookie))).toBe(200);
    expect(JSON.stringify(mine)).not.toContain(here.cookies.get(sessionCookie));
  });
});

describe("a body that is none", () => {
  it.each([
    ["multipart without parts", { "content-type": "multipart/form-data; boundary=x" }, "garbage"],
    ["JSON", { "content-type": "application/json" }, "{"],
    ["bytes", { "content-type": "application/x-www-form-urlencoded" }, "%%%=%00&=&logout_token"],
  ])(
    "%s does not break sign-out, which ends the session, nor the back channel, which refuses it",
    async (_, headers: Record<string, string>, body) => {
      const alice = stage.person();
      await alice.signIn("alice");
      const cookie = alice.cookies.get(sessionCookie);
      const refused = await fetch(`${stage.publicUrl}/oauth/okta/backchannel-logout`, {
        method: "POST",
        headers,
        body,
      });
      expect(refused.status).toBe(400);
      const answer = await alice.fetch(`${stage.publicUrl}/logout`, {
        method: "POST",
        headers: { ...headers, origin: stage.publicUrl },
        body,
      });
      expect(answer.status).toBe(303);
      expect(await sessionStatus(stage, cookie)).toBe(401);
    },
  );
});

describe("back-channel logout", () => {
  it("ends the session here when the person signs out at the provider", async () => {
    const alice = stage.person();
    await alice.signIn("alice");
    const cookie = alice.cookies.get(sessionCookie);
    const told = () =>
      stage.voicebox.received.filter(({ path, identity }) => path === "/api/session" && identity.subject === "alice");
    const before = told().length;
    const elsewhere = stage.person();
    await elsewhere.signIn("alice");
    await signOutAtProvider(alice);
    await expect.poll(() => sessionStatus(stage, cookie), { timeout: 5_000 }).toBe(401);
    // What is kept for this person further down goes, too.
    await expect.poll(() => told().length, { timeout: 5_000 }).toBeGreaterThan(before);
    // The order named one session of this person; another browser's is another.
    expect(await sessionStatus(stage, elsewhere.cookies.get(sessionCookie))).toBe(200);
  });

  it("takes an order once: a copy of it does not end what was opened since", async () => {
    const sent: string[] = [];
    const alice = stage.person();
    await alice.signIn("carol");
    const first = alice.cookies.get(sessionCookie);
    const receive = globalThis.fetch;
    globalThis.fetch = async (input, init) => {
      if (String(input instanceof Request ? input.url : input).endsWith("/backchannel-logout"))
        sent.push(String(init?.body));
      return receive(input, init);
    };
    try {
      await signOutAtProvider(alice);
      await expect.poll(() => sessionStatus(stage, first), { timeout: 5_000 }).toBe(401);
    } finally {
      globalThis.fetch = receive;
    }
    const [order = ""] = sent;
    expect(order).toContain("logout_token=");
    await alice.signIn("carol");
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const replay = await fetch(`${stage.publicUrl}/oauth/okta/backchannel-logout`, {
      method: "POST",
      headers,
      body: order,
    });
    expect(replay.status).toBe(400);
    expect(await sessionStatus(stage, alice.cookies.get(sessionCookie))).toBe(200);
  });

  it.each([
    ["nothing", async () => ""],
    ["something that is no token", async () => "abc"],
    ["an access token", () => stage.tokenOf("alice")],
    [
      "an ID token",
      async () => (await signIn({ issuer: stage.provider().issuerUrl("default"), user: "alice" })).idToken ?? "",
    ],
  ])("refuses %s as an order, and ends nobody's session", async (_, token) => {
    const alice = stage.person();
    await alice.signIn("alice");
    const body = new URLSearchParams({ logout_token: await token() });
    const answer = await fetch(`${stage.publicUrl}/oauth/okta/backchannel-logout`, { method: "POST", body });
    expect(answer.status).toBe(400);
    expect(await answer.text()).not.toMatch(/eyJ/);
    expect(await sessionStatus(stage, alice.cookies.get(sessionCookie))).toBe(200);
  });
});

/** Signs out at the provider by its own page, in the browser that has its session. */
async function signOutAtProvider(person: ReturnType<Stage["person"]>): Promise<void> {
  const url = `${stage.provider().issuerUrl("default")}/v1/logout`;
  const page = await (await person.fetch(url)).text();
  const action = /action="([^"]*)"/.exec(page)?.[1]?.replaceAll("&amp;", "&") ?? url;
  const fields = new URLSearchParams({ logout: "yes" });
  for (const [tag] of page.matchAll(/<input\b[^>]*>/gi)) {
    const name = /\sname="([^"]*)"/.exec(tag)?.[1];
    if (name !== undefined) fields.set(name, /\svalue="([^"]*)"/.exec(tag)?.[1] ?? "");
  }
  const headers = { origin: new URL(url).origin };
  await person.fetch(new URL(action, url).href, { method: "POST", body: fields, headers });
}
