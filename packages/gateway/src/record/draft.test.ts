import { expect, test } from "vitest";
import { createRowOf, type Draft } from "./draft.ts";
import { rowColumns } from "./row.ts";

const draft: Draft = {
  id: "i",
  requestTime: "2026-11-22T10:00:00.000Z",
  traceId: "t",
  requestId: "r",
  route: "POST /v1/chat/completions",
  detail: {},
};

function columns(of: Partial<Draft>): Readonly<Record<string, unknown>> {
  const row = createRowOf()({ ...draft, ...of }, { status: 404, aborted: false, durationMs: 1 });
  const values: unknown[] = JSON.parse(row.fields);
  return Object.fromEntries(rowColumns.map((name, index) => [name, values[index]]));
}

test.each([
  "sk-canary-canary-canary",
  "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.canary-signature_x",
  "Bearer canary.canary",
  'token="canary"',
])("a secret that a client puts where a name belongs (%s) is in no row", (secret) => {
  const call = { model: secret, stream: false };
  const detail = { openwebui_user: secret, would_refuse: { reason: `no model ${secret}` } };
  const row = columns({ call, app: secret, detail });
  expect(JSON.stringify(row)).not.toMatch(/canary|eyJ/);
  expect(row.model).toContain("[masked]");
  expect(row.app).toContain("[masked]");
  expect(JSON.parse(String(row.detail))).toMatchObject({ openwebui_user: expect.stringContaining("[masked]") });
});

test("a name that a client made up is kept no longer than names are", () => {
  expect(columns({ call: { model: "m".repeat(10_000), stream: false } }).model).toBe("m".repeat(300));
});

test("names are as they came", () => {
  const model = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
  const detail = { admin: { action: "generate", keys: ["key_a1b2c3d4e5f6"] }, openwebui_user: "bob@example.com" };
  const row = columns({ call: { model, stream: true }, app: "desk-top (v2)", detail });
  expect(row).toMatchObject({ model, app: "desk-top (v2)", detail: JSON.stringify(detail) });
});
