import { afterAll, beforeAll, expect, it } from "vitest";
import { sessionCookie } from "./browser-steps.ts";
import { type Stage, startStage } from "./stage.ts";

const people = Array.from({ length: 200 }, (_, at) => `user${String(at).padStart(3, "0")}`);
let stage: Stage;
beforeAll(async () => {
  const users = people.map((sub, at) => ({
    sub,
    name: `Person ${at}`,
    given_name: "Person",
    family_name: String(at),
    // One address for all: who somebody is must not depend on it.
    email: "shared@example.com",
    uid: `00u${sub}`,
    oid: `00000000-0000-4000-8000-${String(at).padStart(12, "0")}`,
    title: "",
    groups: ["litellm-users"],
  }));
  stage = await startStage({ provider: { users } });
});
afterAll(() => stage?.close());

it("answers 200 people who ask at once each with their own name, three times over", { timeout: 120_000 }, async () => {
  const cookies = new Map<string, string>();
  for (let at = 0; at < people.length; at += 10) {
    await Promise.all(
      people.slice(at, at + 10).map(async (sub) => {
        const person = stage.person();
        await person.signIn(sub);
        cookies.set(sub, person.cookies.get(sessionCookie) ?? "");
      }),
    );
  }
  expect(new Set(cookies.values()).size).toBe(people.length);

  const ask = async (sub: string, path: string): Promise<string> => {
    const answer = await fetch(`${stage.publicUrl}${path}`, {
      method: "POST",
      headers: {
        cookie: `${sessionCookie}=${cookies.get(sub)}`,
        origin: stage.publicUrl,
        "content-type": "application/json",
      },
      body: '{"query":"who am I?"}',
    });
    return answer.text();
  };
  for (const path of ["/api/v1/voicebox/ask", "/api/v1/voicebox/stream/ask", "/page/ask"]) {
    const answers = await Promise.all(people.map(async (sub) => [sub, await ask(sub, path)] as const));
    const crossed = answers.filter(
      ([sub, text]) => !text.includes(sub) || people.some((other) => other !== sub && text.includes(other)),
    );
    expect([path, crossed]).toEqual([path, []]);
  }
});
