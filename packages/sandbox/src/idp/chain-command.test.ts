import { freePort } from "@onbehalf/service-kit/testing";
import { afterAll, beforeAll, expect, it } from "vitest";
import { walkChain } from "./chain-command.ts";
import { type IdentityProvider, startIdentityProvider } from "./index.ts";

const launchpad = "http://localhost:3000";
let provider: IdentityProvider;
let at: string;
beforeAll(async () => {
  const port = await freePort();
  provider = await startIdentityProvider({ port, launchpadUrl: launchpad });
  at = `http://localhost:${port}`;
});
afterAll(() => provider?.close());

it("makes the four tokens of one question, each for one hop and all for the same person", async () => {
  const chain = await walkChain({ user: "alice", at, launchpad });
  const [login, llm] = [`${at}/oauth2/default`, `${at}/oauth2/llm`];
  expect(chain.map(({ claims }) => [claims.iss, claims.sub, claims.aud, claims.cid, claims.scp])).toEqual([
    [login, "alice", "launchpad", undefined, undefined],
    [login, "alice", "launchpad", "launchpad", ["openid", "profile", "email", "groups", "offline_access"]],
    [login, "alice", "voicebox", "launchpad-backend", ["voicebox"]],
    [llm, "alice", "llm-gateway", "voicebox", ["llm-gateway"]],
  ]);
  const ends = chain.map(({ claims }) => claims.exp ?? 0);
  expect(ends[2]).toBeLessThanOrEqual(ends[1] ?? 0);
  expect(ends[3]).toBeLessThanOrEqual(ends[2] ?? 0);
});

it("says who is unknown instead of printing anything", async () => {
  await expect(walkChain({ user: "nobody", at, launchpad })).rejects.toThrow(/user name|password/i);
});
