import type { TrailHop } from "@onbehalf/service-kit";
import { describe, expect, it } from "vitest";
import { chainTree } from "./chain.ts";
import { chainOf } from "./chain-model.ts";
import { toHtml } from "./tree.ts";

const identity = (audience: string, client_id: string): TrailHop["identity"] => ({
  issuer: "https://id.example/oauth2/default",
  subject: "alice",
  audience: [audience],
  scopes: [audience],
  client_id,
  actors: [],
  groups: ["litellm-users"],
  email: null,
  name: "Alice Archer",
  kind: "user",
  credential: audience === "launchpad" ? "session" : "jwt",
  expires_at: 4_000,
});
const exchange = (audience: string, source: "fresh" | "cached"): TrailHop["exchange"] => ({
  issuer: "https://id.example/oauth2/default",
  client_id: "backend",
  audience,
  scopes: [audience],
  source,
  duration_ms: 12,
  expires_at: 4_000,
  error_code: null,
});
const hop = (service: string, more: Partial<TrailHop> = {}): TrailHop => ({
  service,
  trace_id: "0123456789abcdef0123456789abcdef",
  request_id: "request-1",
  at: "2026-01-01T00:00:00.000Z",
  route: "POST /x",
  status: 200,
  outcome: "ok",
  error_code: null,
  duration_ms: 10,
  identity: null,
  exchange: null,
  app: null,
  detail: {},
  ...more,
});
const whole = [
  hop("launchpad", { identity: identity("launchpad", "launchpad"), exchange: exchange("voicebox", "cached") }),
  hop("voicebox", { identity: identity("voicebox", "backend"), exchange: exchange("llm-gateway", "fresh") }),
  hop("gateway", {
    identity: identity("llm-gateway", "voicebox"),
    detail: { model: "claude", tokens: 100, cost_usd: 0.01 },
  }),
  hop("gateway", {
    identity: identity("llm-gateway", "voicebox"),
    detail: { model: "claude", tokens: 50, cost_usd: 0.02 },
  }),
];

describe("the chain of a request", () => {
  it("is one stop a service, one ticket between two, and the model behind the last", () => {
    const chain = chainOf(whole);
    expect(chain.stops.map(({ title, calls }) => [title, calls])).toEqual([
      ["Launchpad", 1],
      ["Voicebox", 1],
      ["Gateway", 2],
    ]);
    expect(chain.tickets.map(({ title, audience, client, source }) => [title, audience, client, source])).toEqual([
      ["Session cookie", "launchpad", "launchpad", null],
      ["Exchanged token", "voicebox", "backend", "cached"],
      ["Exchanged token", "llm-gateway", "voicebox", "fresh"],
    ]);
    expect(chain.model).toEqual({ name: "claude", provider: null, tokens: 150, usd: 0.03 });
  });

  it("blames the service that refused, not those that passed the refusal on", () => {
    const refused = { outcome: "denied", status: 403, error_code: "forbidden" } as const;
    const chain = chainOf([hop("launchpad", refused), hop("voicebox", refused), hop("gateway", refused)]);
    expect(chain.stops.map(({ outcome }) => outcome)).toEqual(["ok", "ok", "denied"]);
    const html = toHtml(chainTree([hop("launchpad", refused), hop("gateway", refused)], 0));
    expect(html).toContain(" and was refused at <strong>Gateway</strong>");
  });

  it("says in the picture who, for whom, which audience, scope and client, and how long it is valid", () => {
    const html = toHtml(chainTree(whole, 3_400));
    for (const word of [
      "on behalf of Alice Archer",
      "10 min 0 s",
      "cached",
      "fresh · 12 ms",
      "litellm-users",
      "150 tokens",
      "2 calls",
    ]) {
      expect(html).toContain(word);
    }
  });

  it("shows claims that hold markup as text", () => {
    const html = toHtml(
      chainTree([hop("launchpad", { detail: { claims: { name: "<img src=x onerror=alert(1)>" } } })], 0),
    );
    expect(html).toContain("&lt;img");
    expect(html).not.toContain("<img");
  });

  it("shows lists as words, and records so that they break between their members only", () => {
    const claims = { aud: ["voicebox", "other"], actors: [], act: { sub: "backend", iss: "https://id.example" } };
    const html = toHtml(chainTree([hop("launchpad", { detail: { claims } })], 0));
    expect(html).toContain("<td>voicebox, other</td>");
    expect(html).toContain("<td>none</td>");
    expect(html).toContain(`{ &quot;sub&quot;: &quot;backend&quot;, &quot;iss&quot;: &quot;https://id.example&quot; }`);
  });

  it("says so when nothing is known", () => {
    expect(toHtml(chainTree([], 0))).toContain("Nothing is known");
    expect(toHtml(chainTree([], 0))).toContain("ask again");
  });
});
