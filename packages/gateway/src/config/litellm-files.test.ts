import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Env } from "@onbehalf/service-kit";
import { createTestIssuer, type TestIssuer } from "@onbehalf/shared-auth/testing";
import { HttpResponse, http, passthrough } from "msw";
import { setupServer } from "msw/node";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { masterKey, startTestGateway, type TestGateway } from "../testing/gateway.ts";

/** The configuration examples of LiteLLM's guides, as they are written there. */
function guide(name: string): string {
  return readFileSync(join(import.meta.dirname, "../../fixtures/litellm", `${name}.yaml`), "utf8");
}

let issuer: TestIssuer;
let gateway: TestGateway | undefined;
const keys = "https://your-auth-provider.com/.well-known/jwks.json";
const network = setupServer(
  http.get(keys, () => HttpResponse.json(issuer.jwks())),
  http.all(/127\.0\.0\.1/, () => passthrough()),
);
beforeAll(async () => {
  network.listen({ onUnhandledFrame: "error" });
  issuer = await createTestIssuer({ path: "/oauth2/default" });
});
afterEach(async () => {
  await gateway?.close();
  gateway = undefined;
});
afterAll(async () => {
  network.close();
  await issuer.close();
});

async function load(yaml: string, env: Env = {}): Promise<TestGateway> {
  gateway = await startTestGateway({ yaml, issuer, env: { JWT_PUBLIC_KEY_URL: issuer.jwksUri, ...env } });
  return gateway;
}

const chatBody = { model: "m", messages: [{ role: "user", content: "x" }] };
const chat = (to: TestGateway, token: string | undefined, path = "/v1/chat/completions") =>
  to.call(path, { token, body: chatBody });
/** Past every check: the file has no such model. */
const passed = 404;

describe("the guide for Okta", () => {
  test("5.1: the audience is checked; issuer and keys come from the one address", async () => {
    const to = await load(guide("jwt-audience"));
    const good = await issuer.mint({ aud: "api://litellm", email: "alice@example.com" });
    expect((await chat(to, good)).status).toBe(passed);
    const other = await chat(to, await issuer.mint({ aud: "api://default" }));
    expect(other.status).toBe(401);
    expect(other.json.error.message).toMatch(/audience is \[api:\/\/default\], this service is api:\/\/litellm/);
    expect((await chat(to, "invalid-token")).status).toBe(401);
    const { json } = await to.call("/audit/events", { token: good });
    expect(json.events[0].user_id).toBe("alice@example.com");
  });

  test("5.2: routes for the groups they are listed for, and nothing else", async () => {
    const to = await load(guide("allowed-groups"), { JWT_AUDIENCE: "api://litellm" });
    const token = (groups: string[]) => issuer.mint({ aud: "api://litellm", groups });
    const [user, developer, admin, nobody] = await Promise.all([
      token(["litellm-users"]),
      token(["litellm-developers"]),
      token(["litellm-admins"]),
      token([]),
    ]);
    for (const allowed of [user, developer, admin]) {
      expect((await chat(to, allowed)).status).toBe(passed);
      expect((await chat(to, allowed, "/chat/completions")).status).toBe(passed);
    }
    const embed = (who: string) => to.call("/v1/embeddings", { token: who, body: { model: "m", input: "x" } });
    expect([(await embed(user)).status, (await embed(developer)).status, (await embed(admin)).status]).toEqual([
      403,
      passed,
      passed,
    ]);
    const refused = await chat(to, nobody);
    expect(refused.status).toBe(403);
    expect(refused.json.error.message).toMatch(
      /needs one of the groups \[litellm-users, litellm-admins, litellm-developers\]/,
    );
    expect((await to.call("/user/info", { token: user })).status).toBe(403);
    expect((await to.call("/admin/anything", { token: admin })).status).toBe(404);
  });

  test("5.3: each user has 100 requests and 50,000 tokens a minute", async () => {
    const to = await load(guide("user-limits"), { JWT_AUDIENCE: "api://litellm" });
    const alice = await issuer.mint({ aud: "api://litellm", sub: "alice" });
    const bob = await issuer.mint({ aud: "api://litellm", sub: "bob" });
    const seen = await Promise.all(Array.from({ length: 110 }, () => chat(to, alice)));
    expect(seen.filter(({ status }) => status === passed)).toHaveLength(100);
    const refused = seen.find(({ status }) => status === 429);
    expect(refused?.json.error.message).toMatch(/100 requests a minute for user/);
    expect(refused?.headers.get("x-ratelimit-limit-tokens")).toBe("50000");
    expect((await chat(to, bob)).status).toBe(passed);
  });

  test("phase 2: without a master key there is none", async () => {
    const file = guide("jwt-only");
    await expect(load(file, { JWT_AUDIENCE: "api://litellm" })).rejects.toThrow(
      /database_url: refers to the environment variable DATABASE_URL, which is not set/,
    );
    const withoutDatabase = file.replace(/^\s*database_url.*\n/m, "");
    const to = await load(withoutDatabase, { JWT_AUDIENCE: "api://litellm", LITELLM_MASTER_KEY: "" });
    expect((await chat(to, masterKey)).status).toBe(401);
    expect((await chat(to, await issuer.mint({ aud: "api://litellm" }))).status).toBe(passed);
  });

  test("without any audience it does not start, and says what to set", async () => {
    await expect(load(guide("allowed-groups"))).rejects.toThrow(/JWT_AUDIENCE: is not set/);
  });
});

describe("the guide for custom JWTs", () => {
  const claims = {
    iss: "https://your-auth-provider.com",
    aud: "litellm-proxy",
    sub: "user123",
    email: "user@example.com",
    team: "engineering",
  };
  const token = (more: object = {}) => issuer.mint({ ...claims, ...more });

  test("claims become user, address, role and team", async () => {
    const to = await load(guide("custom-jwt"), { JWT_PUBLIC_KEY_URL: "", OPENAI_API_KEY: "sk-openai-test" });
    const info = await to.call("/user/info", { token: await token({ role: "user" }) });
    expect(info.json).toMatchObject({
      user_id: "user123",
      user_info: { user_email: "user@example.com", user_role: "standard" },
      teams: [{ team_id: "engineering" }],
    });
    expect((await to.call("/v1/models", { token: await token() })).json.data).toEqual([
      expect.objectContaining({ id: "gpt-4" }),
    ]);
    expect((await to.call("/v1/models", { token: await token({ aud: "other" }) })).status).toBe(401);
    expect(
      (await to.call("/v1/models", { token: await token({ iss: "https://your-auth-provider.com/" }) })).status,
    ).toBe(401);
  });

  test.each([
    ["admin", "admin", 200],
    ["proxy_admin", "admin", 200],
    ["user", "standard", 403],
    ["internal_user", "standard", 403],
    ["viewer", "viewer", 403],
    ["internal_user_viewer", "viewer", 403],
    ["team", "team", 403],
    ["customer", "customer", 403],
    ["wizard", "standard", 403],
  ])("the role %s is %s", async (role, ours, keyList) => {
    const to = await load(guide("custom-jwt"), { JWT_PUBLIC_KEY_URL: "" });
    const held = await token({ role });
    expect((await to.call("/user/info", { token: held })).json.user_info.user_role).toBe(ours);
    expect((await to.call("/key/list", { token: held })).status).toBe(keyList);
    const call = await to.call("/v1/chat/completions", { token: held, body: { ...chatBody, model: "unlisted" } });
    expect(call.status).toBe(ours === "viewer" ? 403 : passed);
  });

  test("a token that says no more than the guide's example is one, with or without a typ; one of a sign-in is none", async () => {
    const to = await load(guide("custom-jwt"), { JWT_PUBLIC_KEY_URL: "" });
    const iat = Math.floor(Date.now() / 1000);
    const example = { ...claims, role: "admin", iat, exp: iat + 3_600 };
    // What the tests' issuer adds, and the guide's does not.
    const bare = { scp: undefined, cid: undefined, jti: undefined, ...example };
    const whoIs = async (more: object, typ?: string) =>
      to.call("/user/info", { token: await issuer.mint({ ...bare, ...more }, { header: { typ } }) });
    for (const typ of [undefined, "JWT", "at+jwt"]) {
      const { status, json } = await whoIs({}, typ);
      expect([typ, status, json.user_id, json.user_info?.user_role]).toEqual([typ, 200, "user123", "admin"]);
    }
    const ofSignIns = [{ nonce: "n" }, { at_hash: "h" }, { auth_time: iat }, { amr: ["pwd"] }, { azp: example.aud }];
    for (const more of ofSignIns) {
      const { status, json } = await whoIs(more, "JWT");
      expect([more, status, json.error?.message ?? json.message]).toEqual([
        more,
        401,
        expect.stringMatching(/ID token/),
      ]);
    }
  });

  test("30 seconds of leeway, and not more", async () => {
    const to = await load(guide("custom-jwt"), { JWT_PUBLIC_KEY_URL: "" });
    const now = Math.floor(Date.now() / 1000);
    expect((await to.call("/v1/models", { token: await token({ iat: now - 100, exp: now - 20 }) })).status).toBe(200);
    expect((await to.call("/v1/models", { token: await token({ iat: now - 100, exp: now - 40 }) })).status).toBe(401);
  });

  test("the keys cannot be fetched: 503, not 401", async () => {
    network.use(http.get(keys, () => new HttpResponse(null, { status: 500 })));
    const to = await load(guide("custom-jwt"), { JWT_PUBLIC_KEY_URL: "" });
    const answer = await chat(to, await token());
    expect(answer.status).toBe(503);
    expect(answer.headers.get("retry-after")).not.toBeNull();
    network.resetHandlers();
  });

  test("any claim can be mapped, several audiences be accepted", async () => {
    const yaml = guide("custom-jwt")
      .replace('user_id: "sub"', 'user_id: "employee_id"')
      .replace('team_id: "team"', 'team_id: "org.department"')
      .replace('audience: "litellm-proxy"', 'audience: ["litellm-proxy", "api-gateway", "mobile-app"]');
    const to = await load(yaml, { JWT_PUBLIC_KEY_URL: "" });
    const info = await to.call("/user/info", {
      token: await token({ aud: "mobile-app", employee_id: 4711, org: { department: "finance" } }),
    });
    expect(info.json).toMatchObject({ user_id: "4711", teams: [{ team_id: "finance" }] });
  });

  test("another algorithm, and then only that one", async () => {
    const elliptic = await createTestIssuer({ algorithm: "ES256" });
    network.use(http.get(keys, () => HttpResponse.json(elliptic.jwks())));
    try {
      const yaml = guide("custom-jwt").replace('algorithm: "RS256"', 'algorithm: "ES256"');
      const to = await load(yaml, { JWT_PUBLIC_KEY_URL: "" });
      expect((await to.call("/v1/models", { token: await elliptic.mint(claims) })).status).toBe(200);
      expect((await to.call("/v1/models", { token: await token() })).status).toBe(401);
    } finally {
      network.resetHandlers();
      await elliptic.close();
    }
  });

  test("the callbacks of the database step are ignored with a warning", async () => {
    const file = guide("custom-jwt-database");
    const to = await load(file, { JWT_AUDIENCE: "a" });
    expect(to.logs.text()).toMatch(/litellm_settings.success_callback is ignored/);
    expect((await chat(to, await issuer.mint({ aud: "a" }))).status).toBe(passed);
  });
});

describe("the guide for projects", () => {
  test("an administrator's scope makes keys; a project's token calls models; the example key opens nothing", async () => {
    const to = await load(guide("projects"), { JWT_AUDIENCE: "litellm", LITELLM_MASTER_KEY: "" });
    expect(to.logs.text()).toMatch(/example key that everybody knows: it is switched off/);
    expect((await to.call("/key/generate", { token: "sk-1234", body: {} })).status).toBe(401);
    expect((await to.call("/key/generate", { token: "sk-12345678", body: {} })).status).toBe(401);

    const admin = await issuer.mint({ aud: "litellm", scp: ["litellm_proxy_admin"] });
    const made = await to.call("/key/generate", { token: admin, body: {} });
    expect(made.status).toBe(200);
    expect((await to.call("/v1/models", { token: made.json.key })).json.data).toEqual([
      expect.objectContaining({ id: "azure-gpt-3.5" }),
    ]);

    const project = await issuer.mint({ aud: "litellm", sub: "project-7", cid: "project-7", uid: undefined });
    expect((await to.call("/v1/models", { token: project })).status).toBe(200);
    expect((await to.call("/team/info", { token: project })).json.team_id).toBe("project-7");
    expect((await to.call("/key/generate", { token: project, body: {} })).status).toBe(403);
    // The model is listed, and says what is missing when it is called.
    const called = await to.call("/v1/chat/completions", {
      token: project,
      body: { ...chatBody, model: "azure-gpt-3.5" },
    });
    expect(called.status).toBeGreaterThanOrEqual(500);
    expect(called.json.error.message).not.toMatch(/stack|undefined/);
  });

  test("listed routes are all a JWT without the administrator's scope has", async () => {
    const to = await load(guide("allowed-routes"), { JWT_AUDIENCE: "litellm" });
    const user = await issuer.mint({ aud: "litellm" });
    expect((await chat(to, user)).status).toBe(passed);
    expect((await to.call("/v1/responses", { token: user, body: { model: "m", input: "x" } })).status).toBe(403);
    expect((await to.call("/model/info", { token: user })).status).toBe(403);
    const admin = await issuer.mint({ aud: "litellm", scp: "litellm_proxy_admin" });
    expect((await to.call("/model/info", { token: admin })).status).toBe(200);
  });
});

describe("litellm_jwtauth", () => {
  const yaml = (auth: string) => `
general_settings:
  enable_jwt_auth: true
  jwt_public_key_url: os.environ/JWT_PUBLIC_KEY_URL
  jwt_audience: litellm
  litellm_jwtauth: { ${auth} }
`;
  const info = async (auth: string, claims: object) => {
    const to = await load(yaml(auth));
    return to.call("/user/info", {
      token: await issuer.mint({ aud: "litellm", email: "alice@example.com", ...claims }),
    });
  };

  test("field names, also nested ones", async () => {
    const answer = await info(
      "user_id_jwt_field: person.id, team_id_jwt_field: person.team, team_ids_jwt_field: realm.groups",
      { person: { id: "p1", team: "t1" }, realm: { groups: ["g"] } },
    );
    expect(answer.json).toMatchObject({ user_id: "p1", user_info: { groups: ["g"] }, teams: [{ team_id: "t1" }] });
  });

  test("another administrator's scope; the usual one is then none", async () => {
    expect((await info("admin_jwt_scope: boss", { scp: ["boss"] })).json.user_info.user_role).toBe("admin");
    await gateway?.close();
    expect((await info("admin_jwt_scope: boss", { scp: ["litellm_proxy_admin"] })).json.user_info.user_role).toBe(
      "standard",
    );
  });

  test("a table of role names", async () => {
    const map = "user_roles_jwt_field: roles, jwt_litellm_role_map: [{ jwt_role: KING, litellm_role: proxy_admin }]";
    expect((await info(map, { roles: ["KING", "other"] })).json.user_info.user_role).toBe("admin");
  });

  test("only addresses of one domain, only listed roles", async () => {
    expect((await info("user_allowed_email_domain: example.com", {})).status).toBe(200);
    await gateway?.close();
    const foreign = await info("user_allowed_email_domain: example.org", {});
    expect(foreign.status).toBe(403);
    expect(foreign.json.message).toMatch(/e-mail address at example.org/);
    await gateway?.close();
    const alike = await info("user_allowed_email_domain: example.com", { email: "alice@not-example.com" });
    expect(alike.status).toBe(403);
    await gateway?.close();
    expect((await info("user_roles_jwt_field: role, user_allowed_roles: [staff]", { role: "guest" })).status).toBe(403);
  });

  test("what only restricts and is not known is refused, and says what to use", async () => {
    await expect(load(yaml("enforce_rbac: true"))).rejects.toThrow(
      /litellm_jwtauth.enforce_rbac: is not supported: use access.groups/,
    );
    await expect(load(yaml("admin_jwt_scop: x"))).rejects.toThrow(/admin_jwt_scope/);
  });
});

describe("the end of keys", () => {
  test("enable_key_auth: false: neither keys nor the master key, in words", async () => {
    const to = await load(
      "general_settings: { enable_key_auth: false, jwt_audience: a, jwt_public_key_url: os.environ/JWT_PUBLIC_KEY_URL }",
    );
    const answer = await chat(to, masterKey);
    expect(answer.status).toBe(401);
    expect(answer.json.error.message).toMatch(/Keys are no longer accepted here/);
    expect((await chat(to, await issuer.mint({ aud: "a" }))).status).toBe(passed);
  });

  test("not while nobody else could come in", async () => {
    await expect(load("general_settings: { enable_key_auth: false }", { JWT_PUBLIC_KEY_URL: "" })).rejects.toThrow(
      /nobody could call this gateway/,
    );
  });
});

describe("weak master keys", () => {
  test.each(["sk-1234", "sk-short", "sk-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "changeme"])(
    "%s is refused at the start",
    async (key) => {
      const failed = load("model_list: []", { LITELLM_MASTER_KEY: key, JWT_AUDIENCE: "a" });
      await expect(failed).rejects.toThrow(/LITELLM_MASTER_KEY: .*openssl rand/);
      await expect(failed).rejects.not.toThrow(key.length > 12 ? key : "never printed in full");
    },
  );
  test("also in the file, unless it is the guides' example", async () => {
    await expect(
      load("general_settings: { master_key: sk-mine }", { LITELLM_MASTER_KEY: "", JWT_AUDIENCE: "a" }),
    ).rejects.toThrow(/general_settings.master_key: is shorter/);
  });
});
