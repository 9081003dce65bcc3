import { signIn } from "@onbehalf/sandbox/token";
import { expect, it } from "vitest";
import { startChain } from "./chain.ts";

/** Whatever a service must never write: each as a name for the failure message and the text to look for. */
type Canaries = [name: string, text: string][];

it("no token, key or cookie appears in any log line or answer", async () => {
  const chain = await startChain({ LOG_LEVEL: "trace" });
  const answers: string[] = [];
  const keep = async (response: Response): Promise<void> => {
    const headers = [...response.headers].filter(([name]) => name !== "set-cookie" && name !== "location");
    answers.push(JSON.stringify(headers), await response.text());
  };
  const canaries: Canaries = [];
  try {
    const alice = chain.person();
    await alice.signIn("alice");
    canaries.push(...[...alice.cookies].map(([name, value]): [string, string] => [`cookie ${name}`, value]));
    const asked = await alice.post("/api/v1/voicebox/ask", { query: "Who is Bob?" });
    const trace = asked.headers.get("traceparent")?.split("-")[1];
    await keep(asked);
    await keep(await alice.post("/api/v1/voicebox/stream/ask", { query: "Who is Bob?" }));
    await keep(await alice.fetch(`${chain.urls.launchpad}/api/session`));
    await keep(await alice.fetch(`${chain.urls.launchpad}/api/trail/${trace}`));

    const appKey = await chain.appKey();
    canaries.push(["app key", appKey]);
    for (const [audience, url] of [
      ["launchpad", `${chain.urls.launchpad}/api/v1/voicebox/ask`],
      ["voicebox", `${chain.urls.voicebox}/api/v1/voicebox/ask`],
      ["llm-gateway", `${chain.urls.gateway}/v1/models`],
    ] as const) {
      const issuer = `${chain.urls.identityProvider}/oauth2/default`;
      const { accessToken } = await signIn({ issuer, user: "alice", audience, scope: "openid voicebox llm-gateway" });
      canaries.push([`token for ${audience}`, accessToken], [`its signature`, accessToken.split(".")[2] ?? ""]);
      for (const authorization of [`Bearer ${accessToken}`, `Bearer ${accessToken}x`, `Basic ${accessToken}`]) {
        const headers = {
          authorization,
          "x-voicebox-app-key": appKey,
          "x-client-id": "e2e",
          "content-type": "application/json",
        };
        const body =
          audience === "llm-gateway" ? null : JSON.stringify({ query: `Who is ${accessToken}?`.slice(0, 12) });
        await keep(await fetch(url, { method: body === null ? "GET" : "POST", headers, body }));
        await keep(
          await fetch(`${url}?access_token=${accessToken}`, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: "{",
          }),
        );
      }
    }
    expect(chain.output().length).toBeGreaterThan(1_000);
  } finally {
    await chain.close();
  }
  const written = [["logs", chain.output()], ...answers.map((text, at) => [`answer ${at}`, text])];
  const found = written.flatMap(([where, text = ""]) =>
    canaries.filter(([, canary]) => canary.length > 8 && text.includes(canary)).map(([name]) => `${name} in ${where}`),
  );
  expect(found).toEqual([]);
  expect(chain.output()).not.toMatch(/eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}/);
});
