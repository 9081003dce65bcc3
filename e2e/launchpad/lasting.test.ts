import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sessionCookie, sessionStatus } from "./browser-steps.ts";
import { type Stage, startStage } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage?.close());

describe("what lasts and what leaks", () => {
  it("keeps people signed in over a restart, in the plain set-up too", async () => {
    const alice = stage.person();
    await alice.signIn("alice");
    await stage.restart();
    expect(await sessionStatus(stage, alice.cookies.get(sessionCookie))).toBe(200);
    expect((await alice.post("/api/v1/voicebox/ask", { query: "x" })).status).toBe(200);
  });

  it("writes no token, cookie, key or secret into any log or answer", async () => {
    const bob = stage.person();
    await bob.signIn("bob");
    const token = await stage.tokenOf("bob");
    const program = {
      authorization: `Bearer ${token}`,
      "x-voicebox-app-key": stage.appKey,
      "x-client-id": "test",
      "content-type": "application/json",
    };
    const body = '{"query":"x"}';
    const asked = await bob.post("/api/v1/voicebox/ask", { query: "x" });
    const traceId = asked.headers.get("traceparent")?.split("-")[1] ?? "";
    const answers = [
      asked,
      await bob.post("/page/ask", { query: "x" }),
      await bob.fetch(`${stage.publicUrl}/`),
      await bob.fetch(`${stage.publicUrl}/me`),
      await bob.fetch(`${stage.publicUrl}/api/session`),
      await bob.fetch(`${stage.publicUrl}/api/sessions`),
      await bob.fetch(`${stage.publicUrl}/api/trail/${traceId}`),
      await bob.fetch(`${stage.publicUrl}/page/chain/${traceId}`),
      await fetch(`${stage.publicUrl}/api/v1/voicebox/ask`, { method: "POST", headers: program, body }),
      await fetch(`${stage.publicUrl}/api/v1/app`, { headers: program }),
      await fetch(`${stage.publicUrl}/api/v1/app`, {
        headers: { ...program, "x-voicebox-app-key": `${stage.appKey}x` },
      }),
      await fetch(`${stage.publicUrl}/api/v1/app`, { headers: { ...program, authorization: `Bearer ${token}x` } }),
      await fetch(`${stage.publicUrl}/oauth/okta/redirect?code=${token}&state=x`),
    ];
    const said = (await Promise.all(answers.map((answer) => answer.text()))).join("\n");
    const secrets = [
      token,
      stage.appKey,
      bob.cookies.get(sessionCookie) ?? "no cookie",
      "launchpad-secret",
      "launchpad-backend-secret",
      "a-secret-of-this-test-that-is-long-enough-0123456789",
      ...stage.voicebox.received.map((received) => received.token),
    ];
    for (const secret of secrets) {
      expect(said).not.toContain(secret);
      expect(stage.output()).not.toContain(secret);
    }
    expect(stage.output()).not.toMatch(/eyJ[A-Za-z0-9_-]{20}/);
  });

  it("shows a trail to the one whose request it was, and to nobody else but administrators", async () => {
    const [alice, mallory, carol] = [stage.person(), stage.person(), stage.person()];
    await Promise.all([alice.signIn("alice"), mallory.signIn("mallory"), carol.signIn("carol")]);
    const asked = await alice.post("/api/v1/voicebox/ask", { query: "x" });
    const traceId = asked.headers.get("traceparent")?.split("-")[1] ?? "";
    stage.voicebox.behave((c, { path }) =>
      path.startsWith("/api/trail/") ? c.json({ trace_id: "", hops: [] }) : undefined,
    );
    const seenBy = async (who: typeof alice): Promise<number> => {
      const answer = await who.fetch(`${stage.publicUrl}/api/trail/${traceId}`);
      return ((await answer.json()) as { hops: unknown[] }).hops.length;
    };
    expect([await seenBy(alice), await seenBy(mallory), await seenBy(carol)]).toEqual([1, 0, 1]);
    stage.voicebox.behave(undefined);
    expect((await alice.fetch(`${stage.publicUrl}/api/trail/not-a-trace`)).status).toBe(400);
    expect((await fetch(`${stage.publicUrl}/api/trail/${traceId}`)).status).toBe(401);
  });

  it("ends a running answer properly when it is told to stop, and says that it can be asked again", async () => {
    const other = await startStage();
    const alice = other.person();
    await alice.signIn("alice");
    other.voicebox.behave((c, { path }) => (path.endsWith("/stream/ask") ? c.body(endless(), 200) : undefined));
    const answer = await alice.post("/api/v1/voicebox/stream/ask", { query: "x" });
    const reading = answer.text();
    await new Promise((resolve) => setTimeout(resolve, 300));
    const startedAt = performance.now();
    await other.replicas[0]?.close();
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    const last = (await reading).trim().split("\n").at(-1) ?? "";
    expect(JSON.parse(last)).toMatchObject({ result: "so far", pending: false, error: { error: "shutting_down" } });
    await other.close();
  });
});

function endless(): ReadableStream<Uint8Array> {
  const line = new TextEncoder().encode(`${JSON.stringify({ result: "so far", actions: [], pending: true })}\n`);
  let isOpen = true;
  return new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      if (isOpen) controller.enqueue(line);
    },
    cancel() {
      isOpen = false;
    },
  });
}
