import { describe, expect, it } from "vitest";
import { deploymentsOf, modelEntry, routerSettings, unreadParams } from "./deployments.ts";
import { GatewayError } from "./errors.ts";
import { afterFailure, createModelTable, healthy, tryOrder } from "./routing.ts";
import { createRouter } from "./routing-health.ts";

const deployments = (...entries: readonly (readonly [name: string, model: string, params?: object])[]) =>
  deploymentsOf(
    entries.map(([model_name, model, params]) =>
      modelEntry.parse({ model_name, litellm_params: { model, ...params } }),
    ),
  );
const ids = (list: readonly { modelId: string }[]): string[] => list.map(({ modelId }) => modelId);

describe("entries", () => {
  it.each<[string, string, string, { api_base?: string }?]>([
    ["bedrock/us.anthropic.claude-x-v1:0", "bedrock", "us.anthropic.claude-x-v1:0"],
    ["bedrock/converse/amazon.nova-lite-v1:0", "bedrock", "amazon.nova-lite-v1:0"],
    [
      "bedrock/arn:aws:bedrock:us-east-1:1:inference-profile/us.x",
      "bedrock",
      "arn:aws:bedrock:us-east-1:1:inference-profile/us.x",
    ],
    ["openai/gpt-4", "openai", "gpt-4"],
    ["hosted_vllm/meta/llama", "openai", "meta/llama", { api_base: "http://vllm:8000/v1" }],
    ["anthropic/claude-sonnet-4-5", "anthropic", "claude-sonnet-4-5"],
  ])("%s is %s", (model, provider, modelId, params = {}) => {
    expect(deployments(["m", model, params])[0]).toMatchObject({
      provider,
      modelId,
      providerModel: `${provider}/${modelId}`,
      problem: undefined,
    });
  });

  it("say what is wrong instead of stopping the others", () => {
    expect(deployments(["m", "cohere/x"])[0]?.problem).toContain("names no provider");
    for (const model of ["azure/x", "hosted_vllm/x", "openai_like/x"])
      expect(deployments(["m", model])[0]?.problem).toContain("no api_base");
    const exchange = { profile: "okta", issuer: "https://a", client_id: "c", client_secret: "os.environ/SECRET" };
    for (const params of [{ api_base: "os.environ/BASE" }, { token_exchange: exchange }]) {
      const [found] = deployments(["m", "openai/x", params]);
      expect(found?.problem).toMatch(/environment variable (BASE|SECRET), which is not set/);
    }
  });

  it("say what of them nobody reads", () => {
    const entry = { model_name: "m", litellm_params: { model: "openai/x", api_key: "k", rpm: 5, extra_body: {} } };
    expect(unreadParams([modelEntry.parse(entry)])).toEqual([
      "model_list[0].litellm_params.rpm is ignored: m is used without it",
      "model_list[0].litellm_params.extra_body is ignored: m is used without it",
    ]);
  });
});

describe("names", () => {
  const { find } = createModelTable(
    deployments(
      ["claude", "bedrock/a"],
      ["claude", "bedrock/b"],
      ["bedrock/*", "bedrock/*"],
      ["bedrock/us.*", "bedrock/us.*", { order: 1 }],
      ["*", "openai/*"],
    ),
  );
  it.each([
    ["claude", ["a", "b"]],
    ["bedrock/amazon.nova", ["amazon.nova"]],
    ["bedrock/us.amazon.nova", ["us.amazon.nova"]],
    ["gpt-9", ["gpt-9"]],
  ])("%s is found at %s", (name, expected) => {
    expect(ids(find(name))).toEqual(expected);
  });
  it.each(["..", ".", "bedrock/..", "a b", "a?b", "a#b", "bedrock/", "x".repeat(600)])(
    "%s stands behind no pattern",
    (name) => {
      expect(ids(find(name))).toEqual([]);
    },
  );
  it("that nothing fits are not found", () => {
    expect(createModelTable(deployments(["claude", "bedrock/a"])).find("claude-2")).toEqual([]);
  });
});

describe("ids of providers", () => {
  const table = createModelTable(
    deployments(
      ["sonnet", "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0"],
      ["sonnet", "bedrock/us.anthropic.claude-sonnet-4-6"],
      ["sonnet-eu", "bedrock/eu.anthropic.claude-sonnet-4-5-20250929-v1:0"],
      ["nova", "bedrock/amazon.nova-lite-v1:0"],
      ["nova-too", "bedrock/amazon.nova-lite-v1:0"],
      ["haiku", "anthropic/claude-haiku-4-5-20251001"],
      ["small", "openai/gpt-4.1-mini"],
      ["amazon.nova-pro-v1:0", "bedrock/us.amazon.nova-micro-v1:0"],
      ["other", "bedrock/amazon.nova-pro-v1:0"],
      ["any-*", "bedrock/*"],
      ["cohere.*", "bedrock/cohere.*"],
      ["embed", "bedrock/cohere.embed-english-v3"],
    ),
  );
  it.each([
    ["us.anthropic.claude-sonnet-4-5-20250929-v1:0", "sonnet"],
    ["anthropic.claude-sonnet-4-5-20250929-v1:0", "sonnet"],
    ["claude-sonnet-4-5-20250929", "sonnet"],
    ["claude-sonnet-4-5", "sonnet"],
    ["anthropic.claude-sonnet-4-5", "sonnet"],
    ["us.anthropic.claude-sonnet-4-6", "sonnet"],
    ["claude-sonnet-4-6", "sonnet"],
    ["eu.anthropic.claude-sonnet-4-5-20250929-v1:0", "sonnet-eu"],
    ["amazon.nova-lite-v1:0", "nova"],
    ["claude-haiku-4-5-20251001", "haiku"],
    ["claude-haiku-4-5", "haiku"],
    ["gpt-4.1-mini", "small"],
  ])("%s asks for %s", (asked, name) => {
    expect(table.nameOf(asked)).toBe(name);
    expect(table.find(asked)).toEqual(table.find(name));
    expect(table.find(asked)).not.toEqual([]);
  });
  it.each([
    "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "apac.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "us.amazon.nova-lite-v1:0",
    "arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "anthropic.sonnet-4-5",
    "claude-sonnet",
    "claude-sonnet-4-5-20250930",
    "gpt-4.1",
    "*",
    "",
  ])("'%s' is nothing's id", (asked) => {
    expect(table.nameOf(asked)).toBe(asked);
    expect(table.find(asked)).toEqual([]);
  });
  it("give way to names and to patterns", () => {
    expect(ids(table.find("amazon.nova-pro-v1:0"))).toEqual(["us.amazon.nova-micro-v1:0"]);
    expect(table.nameOf("amazon.nova-pro-v1:0")).toBe("amazon.nova-pro-v1:0");
    expect(table.nameOf("cohere.embed-english-v3")).toBe("cohere.embed-english-v3");
    expect(table.find("cohere.embed-english-v3").map(({ name }) => name)).toEqual(["cohere.*"]);
  });
  it("bring a name's fallbacks along", () => {
    const settings = routerSettings.parse({ fallbacks: [{ sonnet: ["nova"] }] });
    const list = deployments(
      ["sonnet", "bedrock/us.anthropic.claude-x-v1:0"],
      ["nova", "bedrock/amazon.nova-lite-v1:0"],
    );
    const router = createRouter({ deployments: list, settings });
    expect(ids(router.candidates("claude-x"))).toEqual(ids(router.candidates("sonnet")));
    expect(ids(router.candidates("claude-x"))).toHaveLength(2);
  });
});

describe("aliases", () => {
  const { model_group_alias } = routerSettings.parse({
    model_group_alias: {
      "gpt-4": "claude",
      "any-thing": "claude",
      "amazon.nova-lite-v1:0": { model: "claude", hidden: true },
      claude: "nova",
      ghost: "nobody",
    },
  });
  const table = createModelTable(
    deployments(["claude", "bedrock/a"], ["nova", "bedrock/amazon.nova-lite-v1:0"], ["any-*", "bedrock/*"]),
    model_group_alias,
  );
  it.each([
    ["gpt-4", "claude", ["a"]],
    ["any-thing", "claude", ["a"]],
    ["amazon.nova-lite-v1:0", "claude", ["a"]],
    ["claude", "claude", ["a"]],
    ["ghost", "nobody", []],
    ["toString", "toString", []],
  ])("%s asks for %s", (asked, name, expected) => {
    expect(table.nameOf(asked)).toBe(name);
    expect(ids(table.find(asked))).toEqual(expected);
  });
});

describe("order", () => {
  const four = deployments(
    ["m", "bedrock/light", { weight: 1 }],
    ["m", "bedrock/heavy", { weight: 9 }],
    ["m", "bedrock/second", { order: 1 }],
  );

  it("follows weights in the long run, and `order` always", () => {
    let seed = 1;
    const random = () => {
      seed = (seed * 16_807) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    const firsts: Record<string, number> = {};
    for (let turn = 0; turn < 5000; turn += 1) {
      const order = ids(tryOrder(four, () => healthy, 0, random));
      firsts[order[0] ?? ""] = (firsts[order[0] ?? ""] ?? 0) + 1;
      expect(order[2]).toBe("second");
    }
    expect((firsts.heavy ?? 0) / 5000).toBeCloseTo(0.9, 1);
  });

  it("puts those that rest last, the one that rests shortest first", () => {
    const rests: Record<string, number> = { light: 500, heavy: 300 };
    const order = tryOrder(
      four,
      ({ modelId }) => ({ ...healthy, restsUntil: rests[modelId] ?? 0 }),
      100,
      () => 0.5,
    );
    expect(ids(order)).toEqual(["second", "heavy", "light"]);
  });
});

describe("health", () => {
  const rules = { allowedFails: 3, cooldownMs: 1000 };
  it("rests after as many failures in a row as allowed, or as long as the upstream asks", () => {
    const once = afterFailure(healthy, 10, rules, undefined);
    const twice = afterFailure(once, 10, rules, undefined);
    expect([once.restsUntil, twice.restsUntil]).toEqual([0, 0]);
    expect(afterFailure(twice, 10, rules, undefined)).toEqual({ failures: 0, restsUntil: 1010, asked: false });
    expect(afterFailure(healthy, 10, rules, 7000)).toEqual({ failures: 1, restsUntil: 7010, asked: true });
  });
});

describe("the router", () => {
  const settings = routerSettings.parse({ fallbacks: [{ a: ["b"] }], allowed_fails: 1, cooldown_time: 1 });
  const make = (now: () => number) =>
    createRouter({
      deployments: deployments(["a", "bedrock/a"], ["b", "bedrock/b"]),
      settings,
      now,
      random: () => 0.5,
    });
  const codeOf = (run: () => unknown): string | undefined => {
    try {
      run();
    } catch (error) {
      if (error instanceof GatewayError) return error.code;
    }
    return undefined;
  };

  it("falls back to another model after its own", () => {
    expect(ids(make(() => 0).candidates("a"))).toEqual(["a", "b"]);
    expect(codeOf(() => make(() => 0).candidates("c"))).toBe("model_not_found");
  });

  it("lets a client wait while every deployment's own Retry-After runs, by a clock that does not step", () => {
    let now = 0;
    const router = make(() => now);
    const throttled = new GatewayError("upstream_throttled", "slow down", { retryAfterSeconds: 5 });
    const [only] = router.candidates("b");
    if (only !== undefined) router.failed(only, throttled);
    expect(codeOf(() => router.candidates("b"))).toBe("upstream_throttled");
    now = 5001;
    expect(ids(router.candidates("b"))).toEqual(["b"]);
  });

  it("still tries a deployment that merely failed when there is no other", () => {
    const router = make(() => 0);
    const [only] = router.candidates("b");
    if (only !== undefined) router.failed(only, new GatewayError("upstream_unavailable", "down"));
    expect(ids(router.candidates("b"))).toEqual(["b"]);
  });
});
