import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { issuers, masterKey, models, startTestGateway, type TestGateway } from "../gateway.ts";
import type { Engine } from "./engine.ts";

const yaml = `${issuers}${models}
access:
  groups:
    users: { models: ["*"] }
    rationed: { models: ["*"], rpm: 3 }
  users:
    slow@example.com: { rpm: 2 }
    wordy@example.com: { tpm: 1000 }
    single@example.com: { max_parallel: 1 }
    thrifty@example.com: { budget: { usd: 0.0005, period: day } }
  teams:
    small: { rpm: 1 }
  apps:
    busy-app: { rpm: 1 }
  models:
    nova: { rpm: 4 }
# A machine that is busy with other tests answers late, and that is not what is tried here.
limits: { timeout_ms: 10000 }
`;

export function limitsSuite(engine: Engine): void {
  describe(`limits (${engine.name})`, () => {
    let gateway: TestGateway;
    beforeAll(async () => {
      gateway = await startTestGateway({ yaml, env: await engine.fresh() });
      if (engine.shared)
        await vi.waitFor(async () => expect((await gateway.call("/system/ready")).status).toBe(200), 10_000);
    });
    afterAll(() => gateway.close());
    const tokenOf = (name: string, claims: object = {}) =>
      gateway.token({ sub: name, email: `${name}@example.com`, ...claims });
    const statuses = async (count: number, ask: () => Promise<{ status: number }>): Promise<number[]> => {
      const seen: number[] = [];
      for (let index = 0; index < count; index += 1) seen.push((await ask()).status);
      return seen;
    };

    test("a user's requests a minute; the 429 names the limit and when to come back", async () => {
      const token = await tokenOf("slow");
      const first = await gateway.chat(token);
      expect(first.headers.get("x-ratelimit-limit-requests")).toBe("2");
      expect(first.headers.get("x-ratelimit-remaining-requests")).toBe("1");
      expect(first.headers.get("anthropic-ratelimit-requests-remaining")).toBeNull();
      await gateway.chat(token);
      const third = await gateway.chat(token);
      expect(third.status).toBe(429);
      expect(third.json.error.message).toMatch(/2 requests a minute for user slow@example.com is reached/);
      expect(Number(third.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
      expect(third.headers.get("x-should-retry")).not.toBe("false");
      expect((await gateway.chat(await tokenOf("quick"))).status).toBe(200);
      // Another person with the same e-mail address is another person.
      expect((await gateway.chat(await gateway.token({ sub: "other", email: "slow@example.com" }))).status).toBe(200);
    });

    test("tokens a minute are reserved by the estimate and settled by the usage", async () => {
      const token = await tokenOf("wordy");
      for (let index = 0; index < 5; index += 1) {
        await vi.waitFor(async () => expect((await gateway.chat(token, { max_tokens: 900 })).status).toBe(200), 10_000);
      }
      const state = await gateway.chat(token, { max_tokens: 10 });
      // Six calls of 18 tokens each, and the last one's reservation is not settled yet.
      expect(Number(state.headers.get("x-ratelimit-remaining-tokens"))).toBeGreaterThan(800);
      gateway.upstream.usage = { inputTokens: 2000, outputTokens: 1 };
      expect((await gateway.chat(token, { max_tokens: 10 })).status).toBe(200);
      gateway.upstream.usage = { inputTokens: 11, outputTokens: 7 };
      await vi.waitFor(async () =>
        expect((await gateway.chat(token, { max_tokens: 10 })).json.error?.message).toMatch(
          /1000 tokens a minute for user wordy/,
        ),
      );
    });

    test("a failed call gives its tokens back", async () => {
      const token = await tokenOf("wordy", { sub: "wordy-2" });
      gateway.upstream.failure = { status: 400, body: { message: "no" } };
      for (let index = 0; index < 5; index += 1)
        expect((await gateway.chat(token, { max_tokens: 900 })).status).toBe(400);
      gateway.upstream.failure = undefined;
      await vi.waitFor(async () => expect((await gateway.chat(token, { max_tokens: 900 })).status).toBe(200), 10_000);
    });

    test("an answer that does not say what it used counts as it was estimated; counting tokens costs none", async () => {
      const token = await tokenOf("wordy", { sub: "wordy-3" });
      const counts = "/v1/messages/count_tokens";
      const body = { model: "claude", messages: [{ role: "user", content: "word ".repeat(600) }] };
      gateway.upstream.failure = { status: 200, body: { inputTokens: 750 } };
      for (let index = 0; index < 3; index += 1) expect((await gateway.call(counts, { token, body })).status).toBe(200);
      const output = { message: { role: "assistant", content: [{ text: "Bob is an engineer." }] } };
      gateway.upstream.failure = { status: 200, body: { output, stopReason: "end_turn" } };
      expect((await gateway.chat(token, { max_tokens: 600 })).status).toBe(200);
      expect((await gateway.chat(token, { max_tokens: 600 })).status).toBe(429);
      gateway.upstream.failure = undefined;
    });

    test("a count of nothing is none, and the row says that it was estimated; a guardrail's is one", async () => {
      const token = await tokenOf("wordy", { sub: "wordy-4" });
      const usage = { inputTokens: 0, outputTokens: 0, totalTokens: 0 };
      const output = { message: { role: "assistant", content: [{ text: "Bob is an engineer." }] } };
      const newest = async () => (await gateway.call("/audit/events?limit=1", { token })).json.events[0];
      try {
        gateway.upstream.failure = { status: 200, body: { output, stopReason: "guardrail_intervened", usage } };
        expect((await gateway.chat(token, { max_tokens: 600 })).status).toBe(200);
        const { error_code, tokens, detail } = await newest();
        expect({ error_code, tokens, detail }).toEqual({ error_code: "guardrail_intervened", tokens: 0, detail: {} });
        gateway.upstream.failure = { status: 200, body: { output, stopReason: "end_turn", usage } };
        expect((await gateway.chat(token, { max_tokens: 600 })).status).toBe(200);
        expect(await newest()).toMatchObject({ completion_tokens: 600, detail: { usage_estimated: true } });
        expect((await gateway.chat(token, { max_tokens: 600 })).status).toBe(429);
      } finally {
        gateway.upstream.failure = undefined;
      }
    });

    test("so many at once, and free again afterwards", async () => {
      const token = await tokenOf("single");
      const arrived = Promise.withResolvers<void>();
      const released = Promise.withResolvers<void>();
      gateway.upstream.before = () => {
        arrived.resolve();
        return released.promise;
      };
      const running = gateway.chat(token);
      try {
        // Only now has this one the place: of two sent one after the other, either may come in first.
        await arrived.promise;
        expect((await gateway.chat(token)).status).toBe(429);
      } finally {
        gateway.upstream.before = async () => {};
        released.resolve();
      }
      expect((await running).status).toBe(200);
      await vi.waitFor(async () => expect((await gateway.chat(token)).status).toBe(200), 10_000);
    });

    test("a budget: a warning, then an end that the client's SDK does not retry", async () => {
      const token = await tokenOf("thrifty");
      const answers = [];
      for (let index = 0; index < 6; index += 1) answers.push(await gateway.chat(token, { max_tokens: 5 }));
      const last = answers.find(({ status }) => status === 429);
      expect(last?.json.error.message).toMatch(/budget of 0.0005 USD a day for user thrifty@example.com is used up/);
      expect(last?.headers.get("x-should-retry")).toBe("false");
      expect(Number(last?.headers.get("retry-after"))).toBeGreaterThan(60);
      expect(
        answers.some(({ headers }) => headers.get("x-onbehalf-budget-warning")?.includes("day budget") ?? false),
      ).toBe(true);
      const { json } = await gateway.call("/audit/events?outcome=limited", { token });
      expect(json.events[0]).toMatchObject({
        error_code: "budget_exhausted",
        rule: "user thrifty@example.com",
        status: 429,
      });
    });

    test("group, team, app and model have limits of their own", async () => {
      const rationed = ["r1", "r2"].map((name) => tokenOf(name, { groups: ["rationed"] }));
      const [one = "", two = ""] = await Promise.all(rationed);
      expect(await statuses(2, () => gateway.chat(one))).toEqual([200, 200]);
      expect(await statuses(2, () => gateway.chat(two))).toEqual([200, 429]);
      const team = await tokenOf("in-team", { team: "small" });
      expect(await statuses(2, () => gateway.chat(team))).toEqual([200, 429]);
      const app = await tokenOf("by-app", { cid: "busy-app" });
      expect(await statuses(2, () => gateway.chat(app))).toEqual([200, 429]);
      const any = await tokenOf("any");
      expect(await statuses(5, () => gateway.chat(any, { model: "nova" }))).toEqual([200, 200, 200, 200, 429]);
      expect((await gateway.chat(any, { model: "nova" })).json.error.message).toContain("for model nova");
    });

    test("a user whose name is no proper text is limited like anybody else", async () => {
      const odd = await tokenOf("odd-\ud800", {
        sub: "odd",
        groups: ["users", "x\ud800"],
        team: "small\ud800",
        cid: "c\ud800",
      });
      expect((await gateway.chat(odd)).status).toBe(200);
      const limitedTeam = await gateway.token({ sub: "odd-2", email: "slow@example.com", team: "t\u0000\ud800" });
      expect(await statuses(3, () => gateway.chat(limitedTeam))).toEqual([200, 200, 429]);
    });

    test("a key's limits are its own", async () => {
      const make = async () =>
        (await gateway.call("/key/generate", { token: masterKey, body: { rpm_limit: 2 } })).json.key;
      const [first, second] = [await make(), await make()];
      expect(await statuses(3, () => gateway.chat(first))).toEqual([200, 200, 429]);
      expect((await gateway.chat(second)).status).toBe(200);
    });
  });

  describe(`two replicas (${engine.name})`, () => {
    test("500 concurrent requests against a limit of 100: exactly 100 pass", async () => {
      const limited = `${issuers}${models}\naccess: { users: { "*": { rpm: 100 } } }\nlimits: { timeout_ms: 10000 }\n`;
      const env = await engine.fresh();
      const first = await startTestGateway({ yaml: limited, env });
      // Without shared counters the second replica has its own; the one process is asked for all.
      const second = engine.shared
        ? await startTestGateway({ yaml: limited, env, issuer: first.issuer, upstream: first.upstream })
        : first;
      try {
        for (const one of [first, second])
          await vi.waitFor(async () => expect((await one.call("/system/ready")).status).toBe(200), 10_000);
        const token = await first.token();
        const answers = await Promise.all(
          Array.from({ length: 500 }, (_, index) => (index % 2 === 0 ? first : second).chat(token)),
        );
        const count = (status: number) => answers.filter((answer) => answer.status === status).length;
        expect({ ok: count(200), limited: count(429) }).toEqual({ ok: 100, limited: 400 });
      } finally {
        if (second !== first) await second.close();
        await first.close();
      }
    });

    test("a budget is remembered over a restart", async () => {
      const budgeted = `${issuers}${models}\naccess: { users: { "*": { budget: { usd: 0.001, period: month } } } }\nlimits: { timeout_ms: 10000 }\n`;
      const first = await startTestGateway({ yaml: budgeted, env: await engine.fresh() });
      const token = await first.token();
      first.upstream.usage = { inputTokens: 11, outputTokens: 100 };
      expect((await first.chat(token, { max_tokens: 5 })).status).toBe(200);
      await first.gateway.close();
      // Other counters, the same record.
      const { DATABASE_URL } = first.env;
      const env = { ...(await engine.fresh()), ...(DATABASE_URL === undefined ? {} : { DATABASE_URL }) };
      const { issuer, upstream, dataDir } = first;
      const again = await startTestGateway({ yaml: budgeted, env, issuer, upstream, dataDir });
      expect((await again.chat(token, { max_tokens: 5 })).status).toBe(429);
      await again.close();
      await first.close();
    });

    test("a group's budget, and one for many models, is remembered as what it counted, and nothing beside", async () => {
      const budget = "budget: { usd: 0.001, period: month }";
      const budgeted = `${issuers}
model_list:
  - { model_name: team_nova, litellm_params: { model: bedrock/amazon.nova-lite-v1:0 } }
  - { model_name: team-nova, litellm_params: { model: bedrock/amazon.nova-lite-v1:0 } }
  - { model_name: Team_nova, litellm_params: { model: bedrock/amazon.nova-lite-v1:0 } }
access:
  groups:
    eng_a: { models: ["*"], ${budget} }
    "%": { models: ["*"], ${budget} }
    others: { models: [team-nova, Team_nova] }
  models:
    team_*: { ${budget} }
    BUDGET_OF_ALL: { budget: { usd: 0.0025, period: month } }
limits: { timeout_ms: 10000 }
`;
      const first = await startTestGateway({
        yaml: budgeted.replace("BUDGET_OF_ALL", "nothing"),
        env: await engine.fresh(),
      });
      const ask = async (gateway: TestGateway, model: string, groups: string[]) =>
        (await gateway.chat(await tokenFor(groups), { model, max_tokens: 5 })).status;
      const tokenFor = (groups: string[]) => first.token({ groups });
      first.upstream.usage = { inputTokens: 11, outputTokens: 4200 };
      for (const model of ["team-nova", "Team_nova"])
        expect(await ask(first, model, ["others", "eng-a", "ENG_A", "eng_a,"])).toBe(200);
      await first.gateway.close();
      const { issuer, upstream, dataDir } = first;
      const { DATABASE_URL } = first.env;
      const again = async (yaml: string) => {
        const env = { ...(await engine.fresh()), ...(DATABASE_URL === undefined ? {} : { DATABASE_URL }) };
        return startTestGateway({ yaml, env, issuer, upstream, dataDir });
      };
      const second = await again(budgeted.replace("BUDGET_OF_ALL", "nothing"));
      expect(await ask(second, "team_nova", ["eng_a"])).toBe(200);
      expect(await ask(second, "team-nova", ["%"])).toBe(200);
      await second.gateway.close();
      const third = await again(budgeted.replace("BUDGET_OF_ALL", "nothing"));
      expect(await ask(third, "team_nova", ["others", "eng_a"])).toBe(429);
      expect(await ask(third, "team-nova", ["eng_a"])).toBe(429);
      expect(await ask(third, "team-nova", ["others"])).toBe(200);
      await third.gateway.close();
      for (const name of ["all-proxy-models", '"*"']) {
        const last = await again(budgeted.replace("BUDGET_OF_ALL", name));
        expect(await ask(last, "team-nova", ["others"]), name).toBe(429);
        await last.gateway.close();
      }
      await first.close();
    });
  });
}
