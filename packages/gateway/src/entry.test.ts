import { expect, test } from "vitest";
import { identify } from "./entry.ts";
import type { Draft } from "./record/draft.ts";
import { routes } from "./routes.ts";
import type { StageContext } from "./stages.ts";

function draftOf(headers: Record<string, string>): Draft {
  const draft = { detail: {} } as Draft;
  void identify(routes[0])({ env: { draft, incoming: { headers } } } as unknown as StageContext);
  return draft;
}

test("what a client says about itself is recorded as far as it is short and printable", () => {
  const draft = draftOf({ "x-onbehalf-app": "a".repeat(1_000), "x-openwebui-user-email": "b".repeat(1_000) });
  expect(draft.app).toBe("a".repeat(200));
  expect(draft.detail).toEqual({ openwebui_user: "b".repeat(200) });
});

test.each(["", "caf\u00e9", "a\u001b[31m", "a\tb"])("and not at all otherwise: %j", (text) => {
  const draft = draftOf({ "x-onbehalf-app": text, "x-openwebui-user-id": text });
  expect([draft.app, draft.detail]).toEqual([undefined, {}]);
});
