import type { Identity } from "@onbehalf/shared-auth";

/** What Voicebox passes on from the gateway, in its form: figures for the pages. */
export function report(path: string, query: URLSearchParams, { issuer, subject, groups }: Identity): unknown {
  const today = new Date().toISOString();
  switch (path) {
    case "/api/v1/usage":
      return { rows: rows(query.get("group_by")?.split(",")[1] ?? "user", today.slice(0, 10)) };
    case "/api/v1/events":
      return { events: [event(today)], limit: 20, offset: 0 };
    case "/api/v1/chain-health":
      return {
        checks: [
          { name: "gateway", status: "ok", reason: null, ms: 3 },
          { name: "exchange", status: "down", reason: "refused", ms: 9 },
        ],
      };
    case "/api/v1/me":
      return {
        identity: {
          issuer,
          subject,
          groups,
          audience: ["voicebox"],
          scopes: ["voicebox"],
          client_id: "launchpad-backend",
          expires_at: 4_000_000_000,
        },
        exchange: {
          issuer,
          client_id: "voicebox",
          audience: "llm-gateway",
          scopes: ["llm-gateway"],
          expires_at: 4_000_000_000,
        },
        gateway: { user_info: { spend: 0.25, max_budget: 100, rpm_limit: 600 } },
        models: ["claude-sonnet-4-5", "nova-lite"],
      };
    default:
      return undefined;
  }
}

function rows(by: string, day: string) {
  const names: Readonly<Record<string, readonly (string | null)[]>> = {
    user: ["alice@example.com", null],
    model: ["claude-sonnet-4-5", "a-model-with-a-very-long-name-that-must-not-break-the-page"],
  };
  return (names[by] ?? ["demo"]).map((name, at) => ({
    group: { day, [by]: name },
    requests: 40 - at * 10,
    tokens: 12_000,
    cost_usd: 1.25,
  }));
}

function event(at: string) {
  return {
    request_time: at,
    user_id: "mallory@example.com",
    subject: "mallory",
    route: "POST /v1/chat/completions",
    model: "claude-sonnet-4-5",
    provider_model: "us.anthropic.claude",
    status: 403,
    outcome: "denied",
    error_code: "forbidden",
    rule: "access.groups",
    trace_id: "0123456789abcdef0123456789abcdef",
  };
}
