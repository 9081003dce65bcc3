import { generateKeyPairSync } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Chain, startChain } from "../chain.ts";
import type { Person } from "../person.ts";
import { type Forge, openForge } from "./forge.ts";
import { tokenFor } from "./people.ts";

let chain: Chain;
let forge: Forge;
let alice: Person;
let mallory: Person;
beforeAll(async () => {
  chain = await startChain();
  forge = openForge(chain.dataDir);
  [alice, mallory] = [chain.person(), chain.person()];
  await alice.signIn("alice");
  await mallory.signIn("mallory");
});
afterAll(() => chain?.close());

const at = (path: string): string => chain.urls.launchpad + path;
const question = "/api/v1/voicebox/ask";

async function hopsOf(person: Person, trace: string): Promise<string[]> {
  const { hops } = (await (await person.fetch(at(`/api/trail/${trace}`))).json()) as {
    hops: { service: string; identity: { subject: string } }[];
  };
  return hops.map(({ service, identity }) => `${service} ${identity.subject}`);
}

describe("a trace id is no key to what it names", () => {
  const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  const traceparent = `00-${trace}-00f067aa0ba902b7-01`;

  it("two who use the same one see each their own hops", async () => {
    for (const person of [alice, mallory]) {
      await (await person.post(question, { query: "Who is Bob?" }, { headers: { traceparent } })).text();
    }
    const [hers, others] = [await hopsOf(alice, trace), await hopsOf(mallory, trace)];
    expect(new Set(hers)).toEqual(new Set(["launchpad alice", "voicebox alice", "gateway alice"]));
    expect(new Set(others)).toEqual(new Set(["launchpad mallory", "voicebox mallory", "gateway mallory"]));
  });

  it.each([trace.toUpperCase(), `${trace}0`, "zz", "..%2f..%2fsystem%2fhealth", "%00", "x".repeat(4000)])(
    "%s is no trace id",
    async (text) => expect([400, 404]).toContain((await alice.fetch(at(`/api/trail/${text}`))).status),
  );
});

describe("a session belongs to one browser and one person", () => {
  it("is not ended, listed or continued by another person", async () => {
    const list = (await (await alice.fetch(at("/api/sessions"))).json()) as { sessions: { id: string }[] };
    const id = list.sessions[0]?.id ?? "";
    const origin = chain.urls.launchpad;
    const ended = await mallory.fetch(at(`/api/sessions/${id}`), { method: "DELETE", headers: { origin } });
    expect(ended.status).toBe(404);
    expect((await alice.fetch(at("/api/session"))).status).toBe(200);
    for (const cookie of [
      `onbehalf_session=${id}`,
      "onbehalf_session=",
      "onbehalf_session=%00",
      "onbehalf_session=%E0",
    ]) {
      expect((await fetch(at("/api/session"), { headers: { cookie } })).status).toBe(401);
    }
  });

  it("a first cookie planted beside the real one gives the thief's answer or none, never the victim's", async () => {
    const [real, thief] = [alice, mallory].map(
      (person) => `onbehalf_session=${person.cookies.get("onbehalf_session")}`,
    );
    const answer = await fetch(at("/api/session"), { headers: { cookie: `${thief}; ${real}` } });
    expect(await answer.text()).not.toContain('"sub":"alice"');
  });
});

describe("administrators are those of our own provider", () => {
  it.each([
    ["bob, who is in another group", "bob", "default", 403],
    ["carol by the partner's server, with the same groups", "carol", "partner", 403],
    ["carol", "carol", "default", 200],
  ])("%s", async (_, user, server, status) => {
    const token = await tokenFor(chain, "launchpad", user, server);
    const answer = await fetch(at("/api/apps"), { headers: { authorization: `Bearer ${token}` } });
    expect(answer.status).toBe(status);
  });
});

describe("an order to sign out that the provider did not give", () => {
  const now = Math.floor(Date.now() / 1000);
  const event = "http://schemas.openid.net/event/backchannel-logout";
  const { privateKey: foreign } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const order = (changes: object): Record<string, unknown> => ({
    iss: `${chain.urls.identityProvider}/oauth2/default`,
    aud: "launchpad",
    sub: "mallory",
    iat: now,
    exp: now + 100,
    jti: Math.random().toString(36),
    events: { [event]: {} },
    ...changes,
  });
  const send = (token: string): Promise<Response> =>
    fetch(at("/oauth/okta/backchannel-logout"), { method: "POST", body: new URLSearchParams({ logout_token: token }) });
  const signed = (changes: object, typ = "logout+jwt"): string =>
    forge.resign("", { header: { typ }, claims: JSON.stringify(order(changes)) });

  it.each([
    [
      "signed by another key",
      () => forge.counterfeit("", { header: { typ: "logout+jwt" }, claims: JSON.stringify(order({})) }, foreign),
    ],
    ["an access token's typ", () => signed({}, "at+jwt")],
    ["a nonce", () => signed({ nonce: "n" })],
    ["no event", () => signed({ events: undefined })],
    ["the event as text", () => signed({ events: event })],
    ["for another client", () => signed({ aud: "voicebox" })],
    ["from another issuer", () => signed({ iss: `${chain.urls.identityProvider}/oauth2/partner` })],
    ["long ago", () => signed({ iat: now - 1000 })],
    ["from the future", () => signed({ iat: now + 1000 })],
    ["without an id", () => signed({ jti: undefined })],
    ["for nobody", () => signed({ sub: undefined })],
    ["for several", () => signed({ sub: ["mallory", "alice"] })],
  ])("%s is 400 and ends nothing", async (_, make) => {
    expect((await send(make())).status).toBe(400);
    expect((await mallory.fetch(at("/api/session"))).status).toBe(200);
  });

  it("is good once: sent again, it does not end the session opened since", async () => {
    const token = signed({});
    expect((await send(token)).status).toBe(200);
    expect((await mallory.fetch(at("/api/session"))).status).toBe(401);
    const again = chain.person();
    await again.signIn("mallory");
    await send(token);
    expect((await again.fetch(at("/api/session"))).status).toBe(200);
  });

  it.each([
    ["multipart/form-data; boundary=x", "no boundary in here"],
    ["application/json", '{"logout_token":'],
    ["text/plain", "logout_token"],
    ["application/x-www-form-urlencoded", "logout_token=%E0%A4%A&logout_token=b"],
  ])("as %s that is none, is 400", async (type, body) => {
    const answer = await fetch(at("/oauth/okta/backchannel-logout"), {
      method: "POST",
      headers: { "content-type": type },
      body,
    });
    expect(answer.status).toBe(400);
  });
});
