import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Stage, startStage } from "./stage.ts";

let stage: Stage;
let carol: ReturnType<Stage["person"]>;
let alice: ReturnType<Stage["person"]>;
beforeAll(async () => {
  stage = await startStage();
  [carol, alice] = [stage.person(), stage.person()];
  await carol.signIn("carol");
  await alice.signIn("alice");
});
afterAll(() => stage?.close());

interface Key {
  id: string;
  key: string;
  hint: string;
  expires_at: string | null;
}
const app = { name: "Reports", connection: "demo", database: "demo", modes: ["jwt"] };
const made = async (answer: Promise<Response>): Promise<{ id: string } & Key> => {
  const response = await answer;
  expect(response.status).toBe(201);
  return (await response.json()) as { id: string } & Key;
};
const askWith = async (key: string): Promise<number> => {
  const headers = {
    authorization: `Bearer ${await stage.tokenOf("alice")}`,
    "x-voicebox-app-key": key,
    "x-client-id": "test",
    "content-type": "application/json",
  };
  const answer = await fetch(`${stage.publicUrl}/api/v1/voicebox/ask`, {
    method: "POST",
    headers,
    body: '{"query":"x"}',
  });
  return answer.status;
};
const send = (path: string, method = "POST"): Promise<Response> =>
  carol.fetch(`${stage.publicUrl}${path}`, { method, headers: { origin: stage.publicUrl } });

describe("applications and keys", () => {
  it("are for administrators only", async () => {
    expect((await alice.fetch(`${stage.publicUrl}/api/apps`)).status).toBe(403);
    expect((await alice.post("/api/apps", app)).status).toBe(403);
    expect((await alice.post("/api/apps/demo/keys", { name: "x" })).status).toBe(403);
    expect((await fetch(`${stage.publicUrl}/api/apps`)).status).toBe(401);
  });

  it("can be managed by an administrator's token too, but groups of another issuer make nobody one", async () => {
    const list = (token: string): Promise<Response> =>
      fetch(`${stage.publicUrl}/api/apps`, { headers: { authorization: `Bearer ${token}` } });
    expect((await list(await stage.tokenOf("carol"))).status).toBe(200);
    expect((await list(await stage.tokenOf("carol", "partner"))).status).toBe(403);
    expect((await list(await stage.tokenOf("alice"))).status).toBe(403);
  });

  it("make a key that is shown once, works, and is stored as a hash", async () => {
    const { id } = await made(carol.post("/api/apps", app));
    const key = await made(carol.post(`/api/apps/${id}/keys`, { name: "first" }));
    expect(key.key).toMatch(/^obk_[A-Za-z0-9_-]{43}$/);
    expect(await askWith(key.key)).toBe(200);

    const listed = await (await carol.fetch(`${stage.publicUrl}/api/apps`)).text();
    expect(listed).toContain(key.hint);
    expect(listed).toContain("last_used_at");
    expect(listed).not.toContain(key.key);
    expect(listed).not.toMatch(/[0-9a-f]{64}/);
    const used = JSON.parse(listed).apps.find((one: { id: string }) => one.id === id).keys[0];
    expect(used.last_used_at).toMatch(/^\d{4}-/);
    expect(used.created_by).toBe(`${stage.provider().issuerUrl("default")} carol`);
    expect(stage.output()).not.toContain(key.key);
  });

  it("rotate with an overlap: both keys are good until the old one ends", async () => {
    const { id } = await made(carol.post("/api/apps", app));
    const old = await made(carol.post(`/api/apps/${id}/keys`, { name: "old" }));
    const next = await made(carol.post(`/api/apps/${id}/keys`, { name: "new", replaces: old.id, overlap_seconds: 2 }));
    expect([await askWith(old.key), await askWith(next.key)]).toEqual([200, 200]);
    await expect.poll(() => askWith(old.key), { timeout: 6_000, interval: 300 }).toBe(403);
    expect(await askWith(next.key)).toBe(200);
  });

  it("disable, enable and delete a key", async () => {
    const { id } = await made(carol.post("/api/apps", app));
    const key = await made(carol.post(`/api/apps/${id}/keys`, { name: "one" }));
    expect((await send(`/api/apps/${id}/keys/${key.id}/disable`)).status).toBe(204);
    expect(await askWith(key.key)).toBe(403);
    expect((await send(`/api/apps/${id}/keys/${key.id}/enable`)).status).toBe(204);
    expect(await askWith(key.key)).toBe(200);
    expect((await send(`/api/apps/${id}/keys/${key.id}`, "DELETE")).status).toBe(204);
    expect(await askWith(key.key)).toBe(401);
    expect((await send(`/api/apps/${id}/keys/${key.id}`, "DELETE")).status).toBe(404);
  });

  it("change and delete an application, with its keys", async () => {
    const { id } = await made(carol.post("/api/apps", app));
    const key = await made(carol.post(`/api/apps/${id}/keys`, { name: "one" }));
    const changed = await carol.post(`/api/apps/${id}`, { ...app, disabled: true }, { method: "PUT" });
    expect(await changed.json()).toMatchObject({ id, disabled: true });
    expect(await askWith(key.key)).toBe(403);
    expect((await send(`/api/apps/${id}`, "DELETE")).status).toBe(204);
    expect(await askWith(key.key)).toBe(401);
  });

  it("leave those of the file alone, and say where to change them", async () => {
    const answer = await carol.post("/api/apps/demo/keys", { name: "x" });
    expect(answer.status).toBe(409);
    expect(((await answer.json()) as { message: string }).message).toContain("applications file");
    expect((await send("/api/apps/demo", "DELETE")).status).toBe(409);
  });

  it("refuse settings that are none, naming the field", async () => {
    const answer = await carol.post("/api/apps", { ...app, modes: ["nobody"], expires_at: "tomorrow" });
    expect(answer.status).toBe(400);
    const { message } = (await answer.json()) as { message: string };
    expect(message).toMatch(/modes.*expires_at/);
  });
});

describe("the administrators' page", () => {
  const form = (path: string, fields: Record<string, string>): Promise<Response> =>
    carol.fetch(`${stage.publicUrl}${path}`, {
      method: "POST",
      headers: { origin: stage.publicUrl, "content-type": "application/x-www-form-urlencoded", accept: "text/html" },
      body: new URLSearchParams(fields),
    });

  const keyShape = /obk_[A-Za-z0-9_-]{43}/;
  /** The page that a browser comes to after the form. */
  const keyBy = async (path: string, fields: Record<string, string>): Promise<{ page: string; address: string }> => {
    const answer = await form(path, fields);
    expect(answer.status).toBe(303);
    const address = new URL(answer.headers.get("location") ?? "", stage.publicUrl).href;
    return { address, page: await (await carol.fetch(address)).text() };
  };

  it("makes an application and a key whose text is on the page once, and then never", async () => {
    const created = await form("/admin/apps", {
      name: "By page",
      connection: "demo",
      database: "demo",
      model: "default",
      modes: "jwt",
    });
    expect(created.status).toBe(303);
    const { page, address } = await keyBy("/admin/apps/by-page/keys", { name: "k" });
    const [key = ""] = keyShape.exec(page) ?? [];
    expect(await askWith(key)).toBe(200);
    expect(await (await carol.fetch(`${stage.publicUrl}/admin`)).text()).not.toContain(key);
    expect(address).not.toContain(key);
    expect(stage.output()).not.toContain(key);
  });

  it("makes no second key when the page after it is loaded again, and says that the key is not shown again", async () => {
    const id = (await made(carol.post("/api/apps", { ...app, name: "Loaded twice" }))).id;
    const keys = async (): Promise<Key[]> => {
      const { apps } = (await (await carol.fetch(`${stage.publicUrl}/api/apps`)).json()) as {
        apps: { id: string; keys: Key[] }[];
      };
      return apps.find((one) => one.id === id)?.keys ?? [];
    };
    const first = await keyBy(`/admin/apps/${id}/keys`, { name: "k" });
    const again = await (await carol.fetch(first.address)).text();
    expect(again).not.toMatch(keyShape);
    expect(again).toContain("A new key is shown once");
    expect(await keys()).toHaveLength(1);

    const [old] = await keys();
    const rotated = await keyBy(`/admin/apps/${id}/keys/${old?.id}/rotate`, {});
    expect(rotated.page).toMatch(keyShape);
    expect(await (await carol.fetch(rotated.address)).text()).not.toMatch(keyShape);
    expect(await keys()).toHaveLength(2);
  });

  it("shows a new key to the session that made it only", async () => {
    const id = (await made(carol.post("/api/apps", { ...app, name: "Mine" }))).id;
    const answer = await form(`/admin/apps/${id}/keys`, { name: "k" });
    const address = new URL(answer.headers.get("location") ?? "", stage.publicUrl).href;
    const elsewhere = stage.person();
    await elsewhere.signIn("carol");
    expect(await (await elsewhere.fetch(address)).text()).not.toMatch(keyShape);
    expect(await (await carol.fetch(address)).text()).toMatch(keyShape);
  });

  it("is not for others, who are told so in words", async () => {
    const answer = await alice.fetch(`${stage.publicUrl}/admin`, { headers: { accept: "text/html" } });
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain("This is for administrators");
  });
});
