import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigError, type Env } from "@onbehalf/service-kit";
import { afterAll, describe, expect, it } from "vitest";
import { readConfig } from "./config.ts";

const good: Env = {
  OKTA_DOMAIN: "your-domain.okta.com",
  OKTA_CLIENT_ID: "0oaLogin",
  OKTA_CLIENT_SECRET: "login-secret",
  OKTA_AUTHORIZATION_SERVER_ID: "aus123",
  OKTA_AUTHORIZATION_SERVER_AUDIENCE: "stardog-services",
  OKTA_BACKEND_CLIENT_ID: "0oaBackend",
  OKTA_BACKEND_CLIENT_SECRET: "backend-secret",
  VOICEBOX_SERVICE_ENDPOINT: "http://voicebox-service:8000/",
  VOICEBOX_SERVICE_SCOPE: "voicebox",
  SESSION_SECRET: "0123456789abcdef0123456789abcdef",
};

const folder = mkdtempSync(join(tmpdir(), "onbehalf-config-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const fileOf = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const pem = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const keyFile = fileOf("backend.pem", pem);
const noKeyFile = fileOf("not-a-key.pem", "hello");

const problemsOf = (env: Env): Record<string, string> => {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError)
      return Object.fromEntries(error.problems.map(({ name, problem }) => [name, problem]));
    throw error;
  }
  return {};
};

describe("configuration", () => {
  it("reads what the Okta guide says, with the defaults of the contract", () => {
    const config = readConfig(good);
    expect(config).toMatchObject({
      host: "127.0.0.1",
      port: 3000,
      publicUrl: "http://localhost:3000",
      voicebox: { endpoint: "http://voicebox-service:8000", scopes: ["voicebox"] },
      session: { absoluteSeconds: 43_200, store: "sqlite" },
      api: { jwtEnabled: false, provider: "okta" },
    });
    expect(config.providers).toMatchObject([
      {
        id: "okta",
        issuer: "https://your-domain.okta.com/oauth2/aus123",
        exchange: { profile: "okta", audience: "stardog-services", auth: { method: "client_secret_basic" } },
      },
    ]);
    expect(Object.isFrozen(config)).toBe(true);
  });

  it("lets the private key win over the secret", () => {
    const env = { ...good, OKTA_BACKEND_CLIENT_PRIVATE_KEY_FILE: keyFile };
    expect(readConfig(env).providers[0]?.exchange.auth).toEqual({ method: "private_key_jwt", keyFile });
  });

  it("names ten wrong values in one message", () => {
    const problems = problemsOf({
      ...good,
      LAUNCHPAD_PORT: "70000",
      PUBLIC_URL: "http://launchpad.example.com",
      SESSION_SECRET: "short",
      SESSION_EXPIRATION: "a day",
      SESSION_STORE: "redis",
      OKTA_DOMAIN: "http://okta.example.com",
      OKTA_CLIENT_SECRET: undefined,
      OKTA_BACKEND_CLIENT_SECRET: undefined,
      API_AUTH_JWT_ENABLED: "true",
      VOICEBOX_SERVICE_ENDPOINT: "voicebox",
      LOG_LEVEL: "loud",
      LOGIN_PROVIDERS: "okta,gogle",
    });
    for (const name of [
      "LAUNCHPAD_PORT",
      "PUBLIC_URL",
      "SESSION_SECRET",
      "SESSION_EXPIRATION",
      "REDIS_URL",
      "OKTA_DOMAIN",
      "OKTA_CLIENT_SECRET",
      "OKTA_BACKEND_CLIENT_SECRET",
      "API_AUTH_ISSUER",
      "API_AUTH_AUDIENCE",
      "VOICEBOX_SERVICE_ENDPOINT",
      "LOG_LEVEL",
      "LOGIN_PROVIDERS",
    ]) {
      expect(problems).toHaveProperty(name);
    }
    expect(JSON.stringify(problems)).not.toContain('"short"');
  });

  it.each([
    ["https anywhere", "https://okta.example.com", undefined],
    ["no scheme", "okta.example.com", undefined],
    ["http on this machine", "http://localhost:9400", undefined],
    ["http elsewhere", "http://okta.example.com", "https"],
    ["no domain", "https://", "domain"],
    ["another scheme", "ftp://okta.example.com", "domain"],
  ])("takes a domain with %s", (_, domain, complaint) => {
    const problem = problemsOf({ ...good, OKTA_DOMAIN: domain }).OKTA_DOMAIN;
    if (complaint === undefined) expect(problem).toBeUndefined();
    else expect(problem).toContain(complaint);
  });

  it.each<[string, string, Env]>([
    ["API_AUTH_JWKS_URI", "absolute URL", { API_AUTH_ISSUER: "https://a", API_AUTH_JWKS_URI: "notaurl" }],
    ["API_AUTH_JWKS_URI", "plain http", { API_AUTH_ISSUER: "https://a", API_AUTH_JWKS_URI: "http://example.com/keys" }],
    ["API_AUTH_ISSUER", "absolute URL", { API_AUTH_ISSUER: "notaurl" }],
    ["API_AUTH_ISSUER", "absolute URL", { API_AUTH_ISSUER: "notaurl", API_AUTH_JWKS_URI: "https://a/keys" }],
    ["API_AUTH_ISSUER", "plain http", { API_AUTH_ISSUER: "http://idp.example.com" }],
    ["API_AUTH_ISSUER", "twice", { API_AUTH_ISSUER: "https://a,https://a" }],
    ["API_CORS_ORIGINS", "origins", { API_CORS_ORIGINS: "foo" }],
    ["OKTA_DOMAIN", "domain", { OKTA_DOMAIN: "https://user:word@okta.example.com" }],
    ["OKTA_BACKEND_CLIENT_PRIVATE_KEY_FILE", "no key file", { OKTA_BACKEND_CLIENT_PRIVATE_KEY_FILE: "/nope.pem" }],
    ["OKTA_BACKEND_CLIENT_PRIVATE_KEY_FILE", "no readable", { OKTA_BACKEND_CLIENT_PRIVATE_KEY_FILE: noKeyFile }],
    [
      "OKTA_BACKEND_CLIENT_SECRET",
      "is not set",
      { OKTA_BACKEND_CLIENT_SECRET: "", OKTA_BACKEND_CLIENT_PRIVATE_KEY_FILE: "" },
    ],
    ["REDIS_URL", "redis://", { REDIS_URL: "foo" }],
    ["REDIS_URL", "redis://", { REDIS_URL: "http://localhost:1" }],
    ["DATABASE_URL", "postgresql://", { DATABASE_URL: "foo" }],
    ["DATABASE_URL", "postgresql://", { DATABASE_URL: "mysql://x" }],
    ["ONBEHALF_DATA_DIR", "not a folder", { ONBEHALF_DATA_DIR: "/dev/null/x" }],
    ["ONBEHALF_DATA_DIR", "not a folder", { ONBEHALF_DATA_DIR: noKeyFile }],
  ])("says by its name that %s is wrong: %s, %o", (name, words, env) => {
    const jwt = { API_AUTH_JWT_ENABLED: "true", API_AUTH_AUDIENCE: "launchpad", API_AUTH_ISSUER: "https://a" };
    const problems = problemsOf({ ...good, ...jwt, ...env });
    expect(Object.keys(problems)).toEqual([name]);
    expect(problems[name]).toContain(words);
  });

  it("needs no folder for files when everything is in Postgres, and takes an empty variable for none", () => {
    const env = { DATABASE_URL: "postgresql://db/launchpad", ONBEHALF_DATA_DIR: "/dev/null/x", LOGIN_PROVIDERS: "" };
    expect(problemsOf({ ...good, ...env, OKTA_ISSUER: "" })).toEqual({});
  });

  it("takes any name for an issuer whose keys have an address of their own", () => {
    const keys = { API_AUTH_ISSUER: "http://idp.example.com/", API_AUTH_JWKS_URI: "https://idp.example.com/keys" };
    const env = { ...good, API_AUTH_JWT_ENABLED: "true", API_AUTH_AUDIENCE: "launchpad", ...keys };
    expect(readConfig(env).api.issuers).toEqual([
      { issuer: "http://idp.example.com/", jwksUri: "https://idp.example.com/keys" },
    ]);
  });

  it("aligns several issuers of the public API with their keys", () => {
    const env = {
      ...good,
      API_AUTH_JWT_ENABLED: "true",
      API_AUTH_AUDIENCE: "launchpad",
      API_AUTH_ISSUER: "https://a,https://b",
    };
    expect(readConfig(env).api.issuers).toEqual([
      { issuer: "https://a", jwksUri: undefined },
      { issuer: "https://b", jwksUri: undefined },
    ]);
    expect(problemsOf({ ...env, API_AUTH_JWKS_URI: "https://a/keys" }).API_AUTH_JWKS_URI).toContain("2");
  });

  it("wants to know, with several providers, whose client exchanges the API's tokens", () => {
    const env = {
      ...good,
      LOGIN_PROVIDERS: "okta,oidc",
      OIDC_ISSUER: "https://id.example.com",
      OIDC_CLIENT_ID: "x",
      OIDC_CLIENT_SECRET: "a-client-secret",
      OIDC_BACKEND_CLIENT_ID: "y",
      OIDC_BACKEND_CLIENT_SECRET: "a-backend-secret",
      OIDC_AUTHORIZATION_SERVER_AUDIENCE: "voicebox",
      API_AUTH_JWT_ENABLED: "true",
      API_AUTH_AUDIENCE: "launchpad",
      API_AUTH_ISSUER: "https://a",
    };
    expect(problemsOf(env)).toHaveProperty("API_AUTH_ACCESS_TOKEN_IDP");
    expect(readConfig({ ...env, API_AUTH_ACCESS_TOKEN_IDP: "oidc" }).api.provider).toBe("oidc");
  });

  it("tells what is wrong with values, with several beside each other and in the applications file at once", () => {
    const jwt = { API_AUTH_JWT_ENABLED: "true", API_AUTH_AUDIENCE: "launchpad", API_AUTH_ISSUER: "https://a" };
    const env = { ...good, ...jwt, SESSION_SECRET: "short", API_AUTH_JWKS_URI: "https://a/keys,https://a/keys2" };
    const problems = problemsOf({ ...env, LAUNCHPAD_APPS_FILE: "/nope.yaml", API_AUTH_ACCESS_TOKEN_IDP: "oidc" });
    expect(problems).toEqual({
      SESSION_SECRET: expect.stringContaining("at least 32"),
      API_AUTH_JWKS_URI: expect.stringContaining("has 2 entries"),
      API_AUTH_ACCESS_TOKEN_IDP: expect.stringContaining("not a login provider"),
      LAUNCHPAD_APPS_FILE: "names /nope.yaml, which cannot be read (ENOENT)",
    });
    const apps = fileOf("apps.yaml", "apps:\n  - { id: A B, name: n, connection: c, database: d, colour: red }\n");
    const inFile = problemsOf({ ...good, SESSION_SECRET: "short", LAUNCHPAD_APPS_FILE: apps });
    expect(Object.keys(inFile)).toEqual(["SESSION_SECRET", `${apps}: apps[0].colour`, `${apps}: apps[0].id`]);
  });

  it("leaves it to the identity provider how long a client's secret is", () => {
    expect(problemsOf({ ...good, OKTA_CLIENT_SECRET: "short", OKTA_BACKEND_CLIENT_SECRET: "s" })).toEqual({});
    const problems = problemsOf({
      ...good,
      OKTA_CLIENT_SECRET: "",
      SESSION_SECRET: "short",
      ENCRYPTION_SECRET: "short",
    });
    expect(Object.keys(problems)).toEqual(["ENCRYPTION_SECRET", "SESSION_SECRET", "OKTA_CLIENT_SECRET"]);
  });

  it("lets a session last as long as SESSION_EXPIRATION says, and end earlier only where that is asked for", () => {
    expect(readConfig(good).session).toMatchObject({ absoluteSeconds: 43_200, idleSeconds: 43_200 });
    expect(readConfig({ ...good, SESSION_EXPIRATION: "1" }).session).toMatchObject({
      absoluteSeconds: 1,
      idleSeconds: 1,
    });
    expect(readConfig({ ...good, SESSION_IDLE_SECONDS: "1" }).session.idleSeconds).toBe(1);
    const zero = problemsOf({ ...good, SESSION_EXPIRATION: "0", SESSION_IDLE_SECONDS: "0" });
    expect(Object.keys(zero)).toEqual(["SESSION_EXPIRATION", "SESSION_IDLE_SECONDS"]);
  });

  it("limits clients and applications only where there would be too many requests for people at work", () => {
    expect(readConfig(good).api).toMatchObject({ clientRequestsPerMinute: 1_200, appRequestsPerMinute: 6_000 });
  });

  describe("in Okta's words", () => {
    const of = (name: string, env: Env): Env => {
      const shape = { CLIENT_ID: "x", CLIENT_SECRET: "s", BACKEND_CLIENT_ID: "y", BACKEND_CLIENT_SECRET: "t" };
      const all = { ...shape, AUTHORIZATION_SERVER_AUDIENCE: "voicebox", ...env };
      const own = Object.fromEntries(Object.entries(all).map(([key, value]) => [`${name}_${key}`, value]));
      return { ...good, LOGIN_PROVIDERS: name.toLowerCase(), ...own };
    };

    it.each<[string, Env, string]>([
      ["KEYCLOAK", { DOMAIN: "id.example.com", AUTHORIZATION_SERVER_ID: "a" }, "https://id.example.com/realms/a"],
      [
        "KEYCLOAK",
        { DOMAIN: "id.example.com", REALM: "a", AUTHORIZATION_SERVER_ID: "a" },
        "https://id.example.com/realms/a",
      ],
      ["ENTRA", { AUTHORIZATION_SERVER_ID: "t" }, "https://login.microsoftonline.com/t/v2.0"],
      ["OIDC", { DOMAIN: "tenant.example.com/" }, "https://tenant.example.com"],
      [
        "OIDC",
        { DOMAIN: "http://localhost:9400", AUTHORIZATION_SERVER_ID: "/oauth2/a" },
        "http://localhost:9400/oauth2/a",
      ],
      ["OIDC", { DOMAIN: "id.example.com", ISSUER: "https://id.example.com/" }, "https://id.example.com"],
    ])("%s %o is %s", (name, env, issuer) => {
      expect(readConfig(of(name, env)).providers).toMatchObject([{ issuer }]);
    });

    it.each<[string, Env, string, string]>([
      [
        "KEYCLOAK",
        { DOMAIN: "id.example.com", REALM: "a", AUTHORIZATION_SERVER_ID: "b" },
        "REALM",
        "AUTHORIZATION_SERVER_ID",
      ],
      ["ENTRA", { TENANT_ID: "a", AUTHORIZATION_SERVER_ID: "b" }, "TENANT_ID", "AUTHORIZATION_SERVER_ID"],
      ["OIDC", { ISSUER: "https://a", DOMAIN: "b" }, "ISSUER", "DOMAIN"],
    ])("%s %o says two things by two names", (name, env, one, other) => {
      const problems = problemsOf(of(name, env));
      expect(Object.keys(problems)).toEqual([`${name}_${one}`]);
      expect(problems[`${name}_${one}`]).toContain(`${name}_${other}`);
    });

    it.each([
      ["KEYCLOAK", { DOMAIN: "id.example.com" }, "REALM", "is not set"],
      ["ENTRA", {}, "TENANT_ID", "is not set"],
      ["OIDC", {}, "ISSUER", "is not set; expected an absolute URL (https://… or http://…)"],
    ])("%s %o says too little: %s %s", (name, env, missing, words) => {
      expect(problemsOf(of(name, env))).toEqual({ [`${name}_${missing}`]: words });
    });

    it.each(["OKTA", "KEYCLOAK", "ENTRA", "OIDC"])("%s_AUTH_ENABLED switches the provider off", (name) => {
      const both = { ...of("OIDC", { ISSUER: "https://a" }), ...of("KEYCLOAK", { DOMAIN: "b", REALM: "c" }) };
      const env = { ...both, ...of("ENTRA", { TENANT_ID: "t" }), LOGIN_PROVIDERS: "okta,keycloak,entra,oidc" };
      const left = readConfig({ ...env, [`${name}_AUTH_ENABLED`]: "false" }).providers.map(({ id }) => id);
      expect(left).toEqual(["okta", "keycloak", "entra", "oidc"].filter((id) => id !== name.toLowerCase()));
      expect(problemsOf({ ...env, [`${name}_AUTH_ENABLED`]: "no" })).toHaveProperty(`${name}_AUTH_ENABLED`);
    });
  });

  it("leaves no deployment without a way in", () => {
    expect(problemsOf({ ...good, OKTA_AUTH_ENABLED: "false" }).LOGIN_PROVIDERS).toContain("no way to sign in");
  });
});
