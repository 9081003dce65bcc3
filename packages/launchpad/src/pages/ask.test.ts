import { describe, expect, it } from "vitest";
import { type App, appSettings } from "../apps/app.ts";
import type { Session } from "../session/session.ts";
import { askPage } from "./ask.ts";

const session: Session = {
  id: "digest-of-a-cookie",
  provider: "okta",
  user: { issuer: "https://id.example", subject: "alice", name: "Alice Archer", email: undefined, groups: [] },
  providerSession: undefined,
  createdAt: 0,
  lastSeenAt: 0,
  expiresAt: 1,
  generation: 0,
  tokens: { access: "", accessExpiresAt: 1, obtainedAt: 0, refresh: undefined, id: undefined, scopes: [] },
  claims: {},
  userAgent: "",
};
const app = (id: string, settings: Partial<App> = {}): App => ({
  ...appSettings.parse({ name: `The ${id}`, connection: "graph", database: "company" }),
  id,
  source: "file",
  isDefault: false,
  created_by: null,
  created_at: null,
  ...settings,
});
const shown = (apps: readonly App[], isAdmin = false): string => askPage({ session, isAdmin, apps, curl: "curl -d " });

describe("questions to begin with", () => {
  it("are those of the application, and none where it names none", () => {
    expect(shown([app("reports")])).not.toContain("data-example");
    const html = shown([app("reports", { examples: ["What did we sell in May?"] })]);
    expect(html.match(/data-example="([^"]*)"/g)).toEqual(['data-example="What did we sell in May?"']);
  });

  it("are shown for the application that is chosen, and wait for the others", () => {
    const html = shown([
      app("sales", { examples: ["What did we sell?"] }),
      app("people", { examples: ["Who works here?"], isDefault: true }),
    ]);
    expect(html).toMatch(/data-app="sales" hidden="">/);
    expect(html).toMatch(/data-app="people">/);
  });
});

it("says to a browser without scripts what it needs, instead of losing the question", () => {
  expect(shown([app("reports")])).toMatch(/<noscript>.*JavaScript.*href="\/api\/v1\/docs".*<\/noscript>/);
});

describe("the application", () => {
  it("is named with the question also when there is only one: the default may be another that is closed", () => {
    expect(shown([app("reports")])).toContain('id="app" name="app" type="hidden" value="reports"');
  });

  it("that is missing is said, with what to do next instead of a form that cannot work", () => {
    const person = shown([]);
    expect(person).toContain("No application is open to you");
    expect(person).toContain("Ask your administrator");
    expect(person).not.toContain("<textarea");
    expect(person).not.toContain('href="/admin');
    const administrator = shown([], true);
    expect(administrator).toContain('href="/admin#apps"');
    expect(administrator).not.toContain("Ask your administrator");
  });
});
