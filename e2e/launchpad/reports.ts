import type { Identity } from "@onbehalf/shared-auth";

/** What Voicebox passes on from the gateway, in its form: figures for the pages. */
export function report(path: string, { issuer, subject, groups }: Identity): unknown {
  const today = new Date().toISOString();
  switch (path) {
    case "/api/v1/usage":
      return { rows: rows(today.slice(0, 10)) };
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

/** Every combination in one report; one line is a look-up, which is no usage. */
function rows(day: string) {
  const line = (user: string | null, model: string | null, requests: number) => ({
    group: { day, user, model, team: null, app: "demo" },
    requests,
    tokens: 12_000,
    cost_usd: 1.25,
  });
  return [
    line("alice@example.com", "claude-sonnet-4-5", 40),
    line(null, "a-model-with-a-very-long-name-that-must-not-break-the-page", 30),
    line("carol@example.com", null, 9_999),
  ];
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
