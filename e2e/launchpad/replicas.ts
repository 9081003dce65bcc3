import type { Env } from "@onbehalf/service-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sessionCookie, sessionStatus } from "./browser-steps.ts";
import { type Stage, startStage } from "./stage.ts";

/** Two replicas on what they share: one login, one refresh, one sign-out. */
export function replicaSuite(name: string, shared: () => Promise<{ readonly env: Env; stop(): Promise<void> }>): void {
  describe(`two replicas on one ${name}`, () => {
    let stage: Stage;
    let stop: () => Promise<void>;
    let urls: readonly [string, string];
    beforeAll(async () => {
      const store = await shared();
      stop = store.stop;
      // A login's token lives ten seconds here, so that its renewal can be awaited.
      stage = await startStage({ replicas: 2, env: store.env, provider: { lifetimes: { accessTokenSeconds: 10 } } });
      urls = stage.replicas.map(({ url }) => url) as [string, string];
    });
    afterAll(async () => {
      await stage?.close();
      await stop?.();
    });

    const ask = (url: string, cookie: string): Promise<Response> =>
      fetch(`${url}/api/v1/voicebox/ask`, {
        method: "POST",
        headers: { cookie: `${sessionCookie}=${cookie}`, origin: stage.publicUrl, "content-type": "application/json" },
        body: '{"query":"who am I?"}',
      });
    const signIn = async (user: string): Promise<string> => {
      const person = stage.person();
      await person.signIn(user);
      return person.cookies.get(sessionCookie) ?? "";
    };

    it("knows on B who signed in on A", async () => {
      const cookie = await signIn("alice");
      expect(await sessionStatus(stage, cookie, urls[1])).toBe(200);
      const answer = await ask(urls[1], cookie);
      expect(await answer.json()).toMatchObject({ result: "You are **alice**." });
    });

    it("renews once when 20 requests on both need it at the same time, and all are answered", async () => {
      const cookie = await signIn("bob");
      // Past half of its life the token is renewed before it is used.
      await new Promise((resolve) => setTimeout(resolve, 6_000));
      const before = refreshes(stage);
      const answers = await Promise.all(Array.from({ length: 20 }, (_, at) => ask(urls[at % 2] as string, cookie)));
      expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
      expect(refreshes(stage) - before).toBe(1);
      // The single-use refresh token was not burnt: it goes on working.
      await new Promise((resolve) => setTimeout(resolve, 6_000));
      expect((await ask(urls[1], cookie)).status).toBe(200);
      expect(refreshes(stage) - before).toBe(2);
    });

    it("shows on B, once, the key that a form made on A", async () => {
      const cookie = await signIn("carol");
      const browser = { cookie: `${sessionCookie}=${cookie}`, origin: stage.publicUrl };
      const send = (fields: Record<string, string>, path: string): Promise<Response> =>
        fetch(urls[0] + path, {
          method: "POST",
          redirect: "manual",
          headers: { ...browser, "content-type": "application/x-www-form-urlencoded" },
          body: new URLSearchParams(fields),
        });
      const settings = { name: "Shared", connection: "demo", database: "demo", model: "default", modes: "jwt" };
      expect((await send(settings, "/admin/apps")).status).toBe(303);
      const made = await send({ name: "k" }, "/admin/apps/shared/keys");
      const address = new URL(made.headers.get("location") ?? "", urls[1]).href;
      const look = async (): Promise<string> => (await fetch(address, { headers: browser })).text();
      expect(await look()).toMatch(/obk_[A-Za-z0-9_-]{43}/);
      expect(await look()).not.toMatch(/obk_[A-Za-z0-9_-]{43}/);
    });

    it("ends on B what was signed out on A, and everywhere when asked to", async () => {
      const [one, two] = [await signIn("carol"), await signIn("carol")];
      const signOut = (url: string, cookie: string, body = ""): Promise<Response> =>
        fetch(`${url}/logout`, {
          method: "POST",
          redirect: "manual",
          headers: {
            cookie: `${sessionCookie}=${cookie}`,
            origin: stage.publicUrl,
            "content-type": "application/x-www-form-urlencoded",
          },
          body,
        });
      expect((await signOut(urls[0], one)).status).toBe(303);
      expect(await sessionStatus(stage, one, urls[1])).toBe(401);
      expect(await sessionStatus(stage, two, urls[1])).toBe(200);
      const three = await signIn("carol");
      await signOut(urls[1], three, "everywhere=1");
      expect(await sessionStatus(stage, two, urls[0])).toBe(401);
    });
  });
}

/** How often a login was renewed, by the replicas' own logs; the provider's refresh tokens are for one use only. */
function refreshes(stage: Stage): number {
  return stage.output().split('"msg":"sign-in refreshed"').length - 1;
}
