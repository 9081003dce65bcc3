import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Person } from "../person.ts";
import { type Stage, startStage } from "./stage.ts";

let stage: Stage;
let carol: Person;
beforeAll(async () => {
  stage = await startStage();
  carol = stage.person();
  await carol.signIn("carol");
});
afterEach(() => stage.voicebox.behave(undefined));
afterAll(() => stage?.close());

const books = { name: "books", description: "The books, every night.", default: true };
const demo = { name: "demo", description: null, default: false };
const offered = (connections: unknown, status: 200 | 503 = 200) =>
  stage.voicebox.behave((c) => (c.req.path === "/api/v1/connections" ? c.json({ connections }, status) : undefined));

const settings = (connection: string) => ({ name: "Reports", connection, database: "demo", modes: ["jwt"] });
const form = (path: string, connection: string): Promise<Response> =>
  carol.fetch(`${stage.publicUrl}${path}`, {
    method: "POST",
    headers: { origin: stage.publicUrl, "content-type": "application/x-www-form-urlencoded", accept: "text/html" },
    body: new URLSearchParams({ name: "By page", connection, database: "demo", model: "default", modes: "jwt" }),
  });
const page = async (): Promise<string> => (await carol.fetch(`${stage.publicUrl}/admin`)).text();
const made = async (connection: string): Promise<string> => {
  const answer = await carol.post("/api/apps", settings(connection));
  expect(answer.status).toBe(201);
  return ((await answer.json()) as { id: string }).id;
};

describe("the connection of an application", () => {
  it("is chosen among those that Voicebox names, asked in the administrator's name", async () => {
    offered([books, demo]);
    const html = await page();
    expect(html).toContain('<option value="books" selected="">books: The books, every night.</option>');
    expect(html).toContain('<option value="demo">demo</option>');
    const asked = stage.voicebox.received.findLast(({ path }) => path === "/api/v1/connections");
    expect(asked?.identity).toMatchObject({ subject: "carol", audience: ["voicebox"] });
  });

  it("is refused when Voicebox has none of that name, by the page and by the API, naming those there are", async () => {
    offered([books, demo]);
    const refused = await carol.post("/api/apps", settings("boks"));
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({
      error: "connection_unknown",
      message: 'Voicebox has no connection "boks"; there are: books, demo.',
    });
    const answer = await form("/admin/apps", "boks");
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain("there are: books, demo.");
    const id = await made("books");
    const changed = await carol.post(`/api/apps/${id}`, settings("boks"), { method: "PUT" });
    expect(changed.status).toBe(400);
    expect((await form(`/admin/apps/${id}`, "boks")).status).toBe(400);
  });

  it("that Voicebox has lost keeps an application neither from being changed nor from being shown as it is", async () => {
    offered([books, demo]);
    const id = await made("demo");
    offered([books]);
    expect(await page()).toContain('<option value="demo" selected="">demo (Voicebox does not have it)</option>');
    const disabled = await carol.post(`/api/apps/${id}`, { ...settings("demo"), disabled: true }, { method: "PUT" });
    expect(disabled.status).toBe(200);
    expect((await form(`/admin/apps/${id}`, "demo")).status).toBe(303);
  });

  it.each<[string, () => void]>([
    ["cannot be asked", () => offered([], 503)],
    ["answers in another form", () => offered("many")],
  ])("is written by hand while Voicebox %s", async (_, behave) => {
    behave();
    expect(await page()).toContain('<input type="text" name="connection" value="demo" required="">');
    await made("elsewhere");
  });

  it("is anybody's question only after it was found that an administrator asks", async () => {
    offered([books]);
    const alice = stage.person();
    await alice.signIn("alice");
    const before = stage.voicebox.received.length;
    expect((await alice.post("/api/apps", settings("boks"))).status).toBe(403);
    expect(stage.voicebox.received.slice(before)).toEqual([]);
  });
});
