import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Jar, sessionCookie, sessionStatus, step, walkToCallback } from "./browser-steps.ts";
import { type Stage, startStage } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage?.close());

describe("threats to the login", () => {
  it("refuses another browser's code and state: login CSRF", async () => {
    const attacker: Jar = new Map();
    const victim: Jar = new Map();
    const callback = await walkToCallback(stage, attacker, "mallory");
    await step(victim, `${stage.publicUrl}/login`);
    const answer = await step(victim, callback);
    expect(answer.status).toBe(400);
    expect(victim.get(sessionCookie)).toBeUndefined();
    expect(await answer.text()).toContain("was not started here");
  });

  it("gives a new id at login, so that a planted one is worth nothing", async () => {
    const jar: Jar = new Map([[sessionCookie, "planted-by-somebody-else-0123456789"]]);
    await step(jar, await walkToCallback(stage, jar, "alice"));
    const first = jar.get(sessionCookie);
    expect(first).not.toBe("planted-by-somebody-else-0123456789");
    expect(await sessionStatus(stage, "planted-by-somebody-else-0123456789")).toBe(401);
    await step(jar, await walkToCallback(stage, jar, "alice"));
    expect(jar.get(sessionCookie)).not.toBe(first);
    expect(await sessionStatus(stage, first)).toBe(401);
    expect(await sessionStatus(stage, jar.get(sessionCookie))).toBe(200);
  });

  it("takes a callback once: a replay is refused, with the cookies of then too", async () => {
    const jar: Jar = new Map();
    const callback = await walkToCallback(stage, jar, "alice");
    const before: Jar = new Map(jar);
    expect((await step(jar, callback)).status).toBe(303);
    expect((await step(jar, callback)).status).toBe(400);
    const replay = await step(before, callback);
    expect(replay.status).toBe(400);
    expect(replay.headers.getSetCookie().some((line) => line.startsWith(`${sessionCookie}=`))).toBe(false);
  });

  it.each([
    ["an iss that names another issuer (RFC 9207)", (url: URL) => url.searchParams.set("iss", "https://evil.example")],
    ["a missing iss where the provider promises one (RFC 9207)", (url: URL) => url.searchParams.delete("iss")],
    ["another state", (url: URL) => url.searchParams.set("state", "made-up")],
    ["another code", (url: URL) => url.searchParams.set("code", "made-up")],
    ["no state", (url: URL) => url.searchParams.delete("state")],
  ])("refuses a callback with %s", async (_, change) => {
    const jar: Jar = new Map();
    const callback = new URL(await walkToCallback(stage, jar, "alice"));
    change(callback);
    const answer = await step(jar, callback.href);
    expect(answer.status).toBe(400);
    expect(jar.get(sessionCookie)).toBeUndefined();
  });

  it("refuses the answer of one provider at the callback of another", async () => {
    const jar: Jar = new Map();
    const callback = (await walkToCallback(stage, jar, "alice")).replace("/oauth/okta/", "/oauth/keycloak/");
    expect((await step(jar, callback)).status).toBe(404);
    expect(jar.get(sessionCookie)).toBeUndefined();
  });

  it("asks for a code with PKCE S256, state and nonce", async () => {
    const answer = await step(new Map(), `${stage.publicUrl}/login`);
    const { searchParams } = new URL(answer.headers.get("location") ?? "");
    expect(Object.fromEntries(searchParams)).toMatchObject({
      response_type: "code",
      code_challenge_method: "S256",
      client_id: "launchpad",
      redirect_uri: `${stage.publicUrl}/oauth/okta/redirect`,
    });
    for (const name of ["state", "nonce", "code_challenge"])
      expect(searchParams.get(name)?.length).toBeGreaterThanOrEqual(43);
  });

  it.each([
    ["/me?tab=1#x", "/me?tab=1#x"],
    ["//evil.example/", "/"],
    ["/\\evil.example", "/"],
    ["https://evil.example/", "/"],
    ["/\t/evil.example", "/"],
    ["javascript:alert(1)", "/"],
    ["/login?return_to=/x", "/"],
    ["/logout", "/"],
    ["/.//evil.example", "/"],
    ["evil", "/"],
  ])("goes back from %s to %s after login", async (asked, expected) => {
    const jar: Jar = new Map();
    const callback = await walkToCallback(stage, jar, "alice", `/login?return_to=${encodeURIComponent(asked)}`);
    expect((await step(jar, callback)).headers.get("location")).toBe(expected);
  });

  it("says in words what the provider refused", async () => {
    const jar: Jar = new Map();
    const login = await step(jar, `${stage.publicUrl}/login`);
    const { searchParams } = new URL(login.headers.get("location") ?? "");
    const issuer = stage.provider().issuerUrl("default");
    const query = new URLSearchParams({
      error: "access_denied",
      error_description: "<b>no</b>",
      state: searchParams.get("state") ?? "",
      iss: issuer,
    });
    const answer = await step(jar, `${stage.publicUrl}/oauth/okta/redirect?${query}`);
    expect(answer.status).toBe(403);
    const page = await answer.text();
    expect(page).toContain("You were not let in");
    expect(page).toContain("ask your administrator");
    expect(page).not.toContain("<b>no</b>");
  });
});

describe("the session cookie", () => {
  it("is HttpOnly, SameSite=Lax, small, without a domain, and says nothing", async () => {
    const jar: Jar = new Map();
    const answer = await step(jar, await walkToCallback(stage, jar, "alice"));
    const [line = ""] = answer.headers.getSetCookie().filter((text) => text.startsWith(`${sessionCookie}=`));
    expect(line).toMatch(/HttpOnly/i);
    expect(line).toMatch(/SameSite=Lax/i);
    expect(line).toMatch(/Path=\//i);
    expect(line).not.toMatch(/Domain/i);
    expect(Buffer.byteLength(line)).toBeLessThanOrEqual(4096);
    expect(jar.get(sessionCookie)).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });

  it("is taken from itself only: not from another name, not from the query", async () => {
    const alice = stage.person();
    await alice.signIn("alice");
    const value = alice.cookies.get(sessionCookie) ?? "";
    const answer = await fetch(`${stage.publicUrl}/api/session?${sessionCookie}=${value}`);
    expect(answer.status).toBe(401);
    expect(await sessionStatus(stage, value)).toBe(200);
    expect(await sessionStatus(stage, `${value}x`)).toBe(401);
  });
});

describe("CSRF on cookie requests", () => {
  it.each([
    ["a foreign Origin", { origin: "https://evil.example" }],
    ["the Origin of another port", { origin: "http://localhost:1" }],
    ["Origin null", { origin: "null" }],
    ["no Origin", {}],
  ])("refuses every state-changing request with %s", async (_, headers: Record<string, string>) => {
    const alice = stage.person();
    await alice.signIn("alice");
    const asked = stage.voicebox.received.length;
    const requests: [method: string, path: string][] = [
      ["POST", "/logout"],
      ["POST", "/api/v1/voicebox/ask"],
      ["POST", "/api/v1/voicebox/stream/ask"],
      ["POST", "/api/v1/voicebox/generate-query"],
      ["POST", "/page/ask"],
      ["DELETE", "/api/sessions/whatever"],
      ["POST", "/me/sessions/whatever/end"],
    ];
    for (const [method, path] of requests) {
      const answer = await alice.fetch(`${stage.publicUrl}${path}`, {
        method,
        headers,
        body: method === "POST" ? "{}" : null,
      });
      expect([path, answer.status]).toEqual([path, 403]);
    }
    expect(stage.voicebox.received.length).toBe(asked);
    expect(await sessionStatus(stage, alice.cookies.get(sessionCookie))).toBe(200);
  });

  it("refuses it for administrators' routes too", async () => {
    const carol = stage.person();
    await carol.signIn("carol");
    for (const path of ["/api/apps", "/api/apps/demo/keys", "/admin/apps", "/admin/apps/demo/delete"]) {
      const headers = { origin: "https://evil.example" };
      const answer = await carol.fetch(`${stage.publicUrl}${path}`, { method: "POST", headers, body: "{}" });
      expect([path, answer.status]).toEqual([path, 403]);
    }
  });
});
