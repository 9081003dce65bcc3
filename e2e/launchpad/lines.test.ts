import { createKey } from "@onbehalf/launchpad";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Jar, step, walkToCallback } from "./browser-steps.ts";
import { type Stage, startStage } from "./stage.ts";

const keys = { good: createKey(), expired: createKey(), alone: createKey() };
const apps = `
apps:
  - id: demo
    name: Demo
    connection: demo
    database: demo
    default: true
    keys:
      - { name: good, sha256: ${keys.good.hash} }
      - { name: expired, sha256: ${keys.expired.hash}, expires_at: "2020-01-01T00:00:00Z" }
  - id: open
    name: Key alone
    connection: demo
    database: demo
    modes: [app_key]
    keys: [{ name: alone, sha256: ${keys.alone.hash} }]
`;

let stage: Stage;
let jar: Jar;
let token: string;
beforeAll(async () => {
  stage = await startStage({ apps });
  jar = new Map();
  await step(jar, await walkToCallback(stage, jar, "alice"));
  token = await stage.tokenOf("bob");
});
afterAll(() => stage?.close());

type Line = Record<string, unknown>;
const lines = (): Line[] =>
  stage
    .output()
    .split("\n")
    .filter((text) => text.startsWith("{"))
    .map((text) => JSON.parse(text) as Line)
    .filter(({ service, msg }) => service === "launchpad" && msg === "request");

let requests = 0;
/** Launchpad's one line of a request. */
async function lineOf(send: (id: string) => Promise<Response>): Promise<Line> {
  requests += 1;
  const id = `line-${requests}`;
  await (await send(id)).text();
  await expect.poll(() => lines().filter(({ request_id }) => request_id === id)).toHaveLength(1);
  return lines().find(({ request_id }) => request_id === id) ?? {};
}

const issuer = (): string => stage.provider().issuerUrl("default");

describe("the one line of a request says who made it", () => {
  const trail = `/api/trail/${"0".repeat(32)}`;

  it.each([
    ["GET", "/api/session", 200],
    ["GET", "/api/sessions", 200],
    ["GET", trail, 200],
    ["GET", "/api/v1/app", 200],
    ["GET", "/me", 200],
    ["GET", "/", 200],
    ["GET", "/api/apps", 403],
    ["POST", "/page/ask", 400],
  ])("by their session: %s %s", async (method, path, status) => {
    const line = await lineOf((id) =>
      step(jar, stage.publicUrl + path, { method, headers: { origin: stage.publicUrl, "x-request-id": id } }),
    );
    expect(line).toMatchObject({ status, issuer: issuer(), subject: "alice", credential: "session" });
  });

  it("by their session, with which application and by which client", async () => {
    const headers = { origin: stage.publicUrl, "x-client-id": "test" };
    const line = await lineOf((id) =>
      step(jar, `${stage.publicUrl}/page/ask`, { method: "POST", headers: { ...headers, "x-request-id": id } }),
    );
    expect(line).toMatchObject({ status: 400, app: "demo", client: "test" });
  });

  it("when they sign in, and when they leave", async () => {
    const mine: Jar = new Map();
    const callback = await walkToCallback(stage, mine, "carol");
    const headers = (id: string) => ({ "x-request-id": id, origin: stage.publicUrl });
    const signIn = await lineOf((id) => step(mine, callback, { headers: headers(id) }));
    expect(signIn).toMatchObject({ status: 303, issuer: issuer(), subject: "carol" });
    const signOut = await lineOf((id) =>
      step(mine, `${stage.publicUrl}/logout`, { method: "POST", headers: headers(id) }),
    );
    expect(signOut).toMatchObject({ status: 303, issuer: issuer(), subject: "carol" });
  });

  it("as the new person, when somebody else was signed in before", async () => {
    const shared: Jar = new Map();
    await step(shared, await walkToCallback(stage, shared, "alice"));
    const other: Jar = new Map();
    const callback = await walkToCallback(stage, other, "bob");
    for (const [name, value] of shared) if (!other.has(name)) other.set(name, value);
    const line = await lineOf((id) => step(other, callback, { headers: { "x-request-id": id } }));
    expect(line).toMatchObject({ status: 303, subject: "bob" });
  });

  it.each<[string, string, string, string, number, Line]>([
    ["GET", "/api/v1/app", "whose key is good", keys.good.key, 200, { app: "demo" }],
    ["GET", "/api/v1/app", "whose key is unknown", createKey().key, 401, {}],
    ["POST", "/api/v1/voicebox/ask", "whose key has expired", keys.expired.key, 403, { app: "demo" }],
    ["GET", trail, "who reads a trail", keys.good.key, 200, {}],
    ["GET", "/api/apps", "who is no administrator", keys.good.key, 403, {}],
  ])("by their token: %s %s, %s", async (method, path, _, key, status, more) => {
    const headers = { authorization: `Bearer ${token}`, "x-voicebox-app-key": key, "x-client-id": "test" };
    const line = await lineOf((id) =>
      fetch(stage.publicUrl + path, { method, headers: { ...headers, "x-request-id": id } }),
    );
    expect(line).toMatchObject({
      ...{ status, issuer: issuer(), subject: "bob", credential: "jwt", client: "test" },
      ...more,
    });
  });

  it("by the application, where nobody else is known", async () => {
    const headers = { authorization: `Bearer ${keys.alone.key}`, "x-client-id": "test" };
    const line = await lineOf((id) =>
      fetch(`${stage.publicUrl}/api/v1/app`, { headers: { ...headers, "x-request-id": id } }),
    );
    expect(line).toMatchObject({ status: 200, subject: "app:open", credential: "app-key", app: "open" });
  });

  it("and names nobody where nobody was found", async () => {
    const line = await lineOf((id) => fetch(`${stage.publicUrl}/api/session`, { headers: { "x-request-id": id } }));
    expect([line.status, line.subject]).toEqual([401, undefined]);
  });
});

it("a caller's id comes back and stands in the trail, base64 and paths too", async () => {
  const id = `job/7@eu-1/${"Ab+/".repeat(28)}Aw==`;
  const headers = { authorization: `Bearer ${token}`, "x-voicebox-app-key": keys.good.key, "x-client-id": "test" };
  const answer = await fetch(`${stage.publicUrl}/api/v1/voicebox/ask`, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json", "x-request-id": id },
    body: '{"query":"x"}',
  });
  expect([answer.status, answer.headers.get("x-request-id")]).toEqual([200, id]);
  const [, traceId] = answer.headers.get("traceparent")?.split("-") ?? [];
  const trail = await fetch(`${stage.publicUrl}/api/trail/${traceId}`, { headers });
  const { hops } = (await trail.json()) as { hops: { service: string; request_id: string }[] };
  expect(hops.map(({ service, request_id }) => [service, request_id])).toContainEqual(["launchpad", id]);
});
