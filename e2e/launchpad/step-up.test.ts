import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Jar, step, walkToCallback } from "./browser-steps.ts";
import { type Stage, startStage } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage?.close());

const challenge = '{"id_token":{"acr":{"essential":true,"value":"urn:strong"}}}';
const header = `Bearer error="insufficient_claims", claims="${Buffer.from(challenge).toString("base64")}"`;

describe("a claims challenge from below", () => {
  it("sends the browser through the provider again with that challenge, and back to its question", async () => {
    const alice = stage.person();
    await alice.signIn("alice");
    stage.voicebox.behave((c) =>
      c.json({ error: "insufficient_claims", message: "more" }, 401, { "www-authenticate": header }),
    );
    const answer = await alice.post("/page/ask", { query: "x" });
    stage.voicebox.behave(undefined);
    expect(answer.status).toBe(401);
    const metadata = `resource_metadata="${stage.publicUrl}/.well-known/oauth-protected-resource"`;
    expect(answer.headers.get("www-authenticate")).toBe(
      `Bearer realm="onbehalf", error="insufficient_claims", error_description="more", claims="${btoa(challenge)}", ${metadata}`,
    );
    const body = (await answer.json()) as { error: string; login_url: string };
    expect(body.error).toBe("step_up_required");
    expect(body.login_url).not.toContain("urn:strong");

    const login = await step(new Map(alice.cookies), `${stage.publicUrl}${body.login_url}`);
    expect(new URL(login.headers.get("location") ?? "").searchParams.get("claims")).toBe(challenge);
    expect(new URL(`${stage.publicUrl}${body.login_url}`).searchParams.get("return_to")).toBe("/?resume=1");
  });

  it("that does not say what it wants is told as it came, and nothing is made up", async () => {
    const alice = stage.person();
    await alice.signIn("alice");
    const bare = 'Bearer error="insufficient_user_authentication"';
    stage.voicebox.behave((c) => c.json({ error: "x", message: "more" }, 401, { "www-authenticate": bare }));
    const answer = await alice.post("/page/ask", { query: "x" });
    stage.voicebox.behave(undefined);
    expect(await answer.json()).toMatchObject({ error: "step_up_required", login_url: expect.any(String) });
    const said = answer.headers.get("www-authenticate");
    expect(said).toContain('error="insufficient_user_authentication"');
    expect(said).not.toContain("claims=");
  });

  it("by the classes of RFC 9470 is told as it came, and asked of the provider as a claim", async () => {
    const alice = stage.person();
    await alice.signIn("alice");
    const classes = 'Bearer error="insufficient_user_authentication", acr_values="urn:strong urn:stronger"';
    stage.voicebox.behave((c) => c.json({ error: "x", message: "more" }, 401, { "www-authenticate": classes }));
    const answer = await alice.post("/page/ask", { query: "x" });
    stage.voicebox.behave(undefined);
    expect(answer.headers.get("www-authenticate")).toContain(
      'error="insufficient_user_authentication", error_description="more", acr_values="urn:strong urn:stronger"',
    );
    const { login_url } = (await answer.json()) as { login_url: string };
    const login = await step(new Map(alice.cookies), `${stage.publicUrl}${login_url}`);
    const claims = new URL(login.headers.get("location") ?? "").searchParams.get("claims") ?? "";
    expect(JSON.parse(claims)).toEqual({
      id_token: { acr: { essential: true, values: ["urn:strong", "urn:stronger"] } },
    });
  });

  it("is only ever one of ours: a link cannot make one up", async () => {
    const made = `/login?step_up=${encodeURIComponent(challenge)}`;
    const login = await step(new Map(), `${stage.publicUrl}${made}`);
    expect(new URL(login.headers.get("location") ?? "").searchParams.get("claims")).toBeNull();
  });

  it("is passed on to a program, which has its own way to the provider", async () => {
    stage.voicebox.behave((c) =>
      c.json({ error: "insufficient_claims", message: "more" }, 401, { "www-authenticate": header }),
    );
    const answer = await fetch(`${stage.publicUrl}/api/v1/voicebox/ask`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${await stage.tokenOf("bob")}`,
        "x-voicebox-app-key": stage.appKey,
        "x-client-id": "test",
        "content-type": "application/json",
      },
      body: '{"query":"x"}',
    });
    stage.voicebox.behave(undefined);
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toContain(Buffer.from(challenge).toString("base64"));
  });
});

describe("a provider that asks for a stronger sign-in at the exchange", () => {
  it("gets it by one round trip, after which the question is answered", async () => {
    const issuer = stage.provider().issuerUrl("default");
    const told = await fetch(`${new URL(issuer).origin}/sandbox/step-up`, { method: "POST", body: '{"user":"carol"}' });
    expect(told.status).toBe(201);
    const jar: Jar = new Map();
    await step(jar, await walkToCallback(stage, jar, "carol"));
    const ask = (): Promise<Response> =>
      step(jar, `${stage.publicUrl}/page/ask`, {
        method: "POST",
        headers: { origin: stage.publicUrl, "content-type": "application/json" },
        body: '{"query":"x"}',
      });
    const refused = await ask();
    const { login_url } = (await refused.json()) as { login_url: string };
    expect(refused.status).toBe(401);

    const back = await step(jar, await walkToCallback(stage, jar, "carol", login_url));
    expect(back.headers.get("location")).toBe("/?resume=1");
    const answer = await ask();
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining("carol")]);
  });
});

describe("a session whose tokens are over", () => {
  it("is renewed when the login's token is refused, and ends with a plain word when it cannot be", async () => {
    const alice = stage.person();
    await alice.signIn("alice");
    await alice.post("/api/v1/voicebox/ask", { query: "x" });
    const gone = await startStage({ provider: { lifetimes: { accessTokenSeconds: 2, refreshTokenSeconds: 1 } } });
    try {
      const bob = gone.person();
      await bob.signIn("bob");
      await new Promise((resolve) => setTimeout(resolve, 3_000));
      const answer = await bob.post("/page/ask", { query: "x" });
      expect(answer.status).toBe(401);
      expect(await answer.json()).toMatchObject({ error: "session_expired" });
    } finally {
      await gone.close();
    }
  });
});
