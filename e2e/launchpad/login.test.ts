import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Stage, startStage } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage?.close());

const session = (cookie: string): Promise<Response> =>
  fetch(`${stage.publicUrl}/api/session`, { headers: { cookie: `onbehalf_session=${cookie}` } });

describe("login", () => {
  it("signs in and comes back to where it began", async () => {
    const alice = stage.person();
    const page = await alice.signIn("alice", "/?from=here");
    expect(page.status).toBe(200);
    expect(page.url).toBe(`${stage.publicUrl}/?from=here`);
    const answer = await alice.fetch(`${stage.publicUrl}/api/session`);
    expect(await answer.json()).toMatchObject({
      user: {
        sub: "alice",
        iss: stage.provider().issuerUrl("default"),
        name: "Alice Archer",
        groups: ["litellm-users"],
      },
    });
  });

  it("asks Voicebox on behalf of the user, with a token that is good for Voicebox only", async () => {
    const bob = stage.person();
    await bob.signIn("bob");
    const answer = await bob.post("/api/v1/voicebox/ask", { query: "who am I?" });
    expect(await answer.json()).toMatchObject({ result: "You are **bob**." });
    const { identity } = stage.voicebox.received.findLast(({ path }) => path.endsWith("/ask")) ?? {};
    expect(identity).toMatchObject({
      subject: "bob",
      audience: ["voicebox"],
      scopes: ["voicebox"],
      clientId: "launchpad-backend",
    });
    expect(await session(bob.cookies.get("onbehalf_session") ?? "").then(({ status }) => status)).toBe(200);
  });

  it("leads a browser that came by another name of this machine to the one that the provider comes back to", async () => {
    const other = stage.publicUrl.replace("localhost", "127.0.0.1");
    const answer = await fetch(`${other}/login?provider=okta&return_to=%2Fme`, { redirect: "manual" });
    expect(answer.headers.get("location")).toBe(`${stage.publicUrl}/login?provider=okta&return_to=%2Fme`);
  });
});
