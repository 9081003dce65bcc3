import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { type Env, loadEnv } from "./env.ts";
import { flag, issuer, list, noticeWithinGrace, port, seconds, secret, url, urls } from "./fields.ts";
import { ConfigError, type ConfigProblem } from "./problems.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "onbehalf-env-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function fileWith(text: string): string {
  const path = join(folder, crypto.randomUUID());
  writeFileSync(path, text);
  return path;
}

function problems(read: () => unknown): readonly ConfigProblem[] {
  try {
    read();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe("values", () => {
  const schema = z.object({
    GATEWAY_PORT: port().default(4000),
    PUBLIC_URL: url({ httpOnLoopbackOnly: true }),
    SCOPES: list().default([]),
    REQUIRE_JWT_AUTH: flag().default(true),
    GRACE_SECONDS: seconds().optional(),
  });

  test("are typed, trimmed of what is no part of them, and frozen", () => {
    const config = loadEnv(schema, {
      GATEWAY_PORT: "0",
      PUBLIC_URL: "http://localhost:3000/",
      SCOPES: " a, b ,,",
      REQUIRE_JWT_AUTH: "false",
      GRACE_SECONDS: "30",
      UNRELATED: "x",
    });
    expect(config).toEqual({
      GATEWAY_PORT: 0,
      PUBLIC_URL: "http://localhost:3000",
      SCOPES: ["a", "b"],
      REQUIRE_JWT_AUTH: false,
      GRACE_SECONDS: 30,
    });
    expect(Object.isFrozen(config)).toBe(true);
  });

  test("that are empty count as unset", () => {
    expect(loadEnv(schema, { PUBLIC_URL: "https://a.example", GATEWAY_PORT: "" }).GATEWAY_PORT).toBe(4000);
  });

  test.each([
    ["http://launchpad.example", "plain http is for this machine only"],
    ["http://127.0.0.1.example", "plain http is for this machine only"],
    ["ftp://a.example", "expected an absolute URL"],
    ["launchpad.example", "expected an absolute URL"],
  ])("%s is no address for browsers", (value, expected) => {
    expect(problems(() => loadEnv(schema, { PUBLIC_URL: value }))[0]?.problem).toContain(expected);
  });

  test.each(["65536", "-1", "3000.5", "1e3", "0x10", " 80", "٣"])("%j is no port", (value) => {
    const [problem] = problems(() => loadEnv(z.object({ P: port() }), { P: value }));
    expect(problem).toEqual({ name: "P", problem: `expected a port number, 0 to 65535, got ${JSON.stringify(value)}` });
  });

  test.each(["TRUE", "1", "yes", "no"])("%j switches nothing on or off", (value) => {
    expect(problems(() => loadEnv(z.object({ F: flag() }), { F: value }))).toHaveLength(1);
  });
});

test("ten wrong values are ten named problems of one message", () => {
  const names = Array.from({ length: 10 }, (_, index) => `PORT_${index}`);
  const schema = z.object(Object.fromEntries(names.map((name) => [name, port()])));
  const env = Object.fromEntries(names.map((name) => [name, "high"]));
  const read = () => loadEnv(schema, env);
  expect(problems(read).map(({ name }) => name)).toEqual(names);
  expect(read).toThrow(/^10 problems in the configuration:\n( {2}PORT_\d: expected a port number.*\n?){10}$/);
});

describe("a notice", () => {
  const both = { SHUTDOWN_GRACE_SECONDS: seconds().default(30), SHUTDOWN_NOTICE_SECONDS: seconds().default(0) };
  const schema = z.object(both).check(noticeWithinGrace());

  test.each([
    [{}],
    [{ SHUTDOWN_NOTICE_SECONDS: "29" }],
    [{ SHUTDOWN_NOTICE_SECONDS: "0", SHUTDOWN_GRACE_SECONDS: "0" }],
  ])("%j is within the grace", (env) => {
    expect(() => loadEnv(schema, env)).not.toThrow();
  });

  test.each([[{ SHUTDOWN_NOTICE_SECONDS: "30" }], [{ SHUTDOWN_NOTICE_SECONDS: "1", SHUTDOWN_GRACE_SECONDS: "1" }]])(
    "%j leaves nothing of it",
    (env) => {
      const problem = expect.stringMatching(/^expected fewer seconds than SHUTDOWN_GRACE_SECONDS.*, got "\d+"$/);
      expect(problems(() => loadEnv(schema, env))).toEqual([{ name: "SHUTDOWN_NOTICE_SECONDS", problem }]);
    },
  );

  test("is looked at beside other problems, and not where the grace itself is wrong", () => {
    const strict = z.object({ ...both, OTHER: z.string() }).check(noticeWithinGrace());
    const named = (env: Env) => problems(() => loadEnv(strict, env)).map(({ name }) => name);
    expect(named({ SHUTDOWN_NOTICE_SECONDS: "30" })).toEqual(["OTHER", "SHUTDOWN_NOTICE_SECONDS"]);
    expect(named({ SHUTDOWN_NOTICE_SECONDS: "30", SHUTDOWN_GRACE_SECONDS: "-1" })).toEqual([
      "SHUTDOWN_GRACE_SECONDS",
      "OTHER",
    ]);
  });
});

test("what surrounds an address is no part of it: an issuer with a line end would be nobody's", () => {
  const schema = z.object({ ISSUER: issuer(), ENDPOINT: url(), PAIR: urls() });
  const env = { ISSUER: " https://a/x/\n", ENDPOINT: "https://b/\r\n", PAIR: "https://c , https://d\n" };
  expect(loadEnv(schema, env)).toEqual({
    ISSUER: "https://a/x/",
    ENDPOINT: "https://b",
    PAIR: ["https://c", "https://d"],
  });
});

test("a missing value and a wrong one are both named, beside a rule over several values", () => {
  const schema = z
    .object({ A: port(), B: z.string(), C: z.enum(["json", "text"]) })
    .refine(() => false, { error: "set A or B", path: ["A"], when: () => true });
  expect(problems(() => loadEnv(schema, { C: "xml", A: "1" }))).toEqual([
    { name: "B", problem: "is not set" },
    { name: "C", problem: expect.stringContaining('got "xml"') },
    { name: "A", problem: expect.stringContaining("set A or B") },
  ]);
});

describe("a variable that is not set", () => {
  const schema = z.object({
    JWT_ISSUER: issuer(),
    JWT_AUDIENCE: list({ min: 1 }),
    SESSION_SECRET: secret({ min: 32 }),
    CLIENT_SECRET: secret(),
    MODE: z.enum(["json", "text"], "expected json or text"),
    CLIENT_ID: z.string(),
  });
  const told = (env: Env) =>
    Object.fromEntries(problems(() => loadEnv(schema, env)).map((each) => [each.name, each.problem]));

  test("is named with what was expected", () => {
    expect(told({})).toEqual({
      JWT_ISSUER: "is not set; expected an absolute URL (https://… or http://…): the issuer as its tokens name it",
      JWT_AUDIENCE: "is not set; expected at least 1 comma-separated value",
      SESSION_SECRET: "is not set; expected a secret of at least 32 characters",
      CLIENT_SECRET: "is not set; expected a secret",
      MODE: "is not set; expected json or text",
      CLIENT_ID: "is not set",
    });
  });

  test("is looked for under a name that is nearly its own", () => {
    const env = {
      CLIENT_SECERT: "canary",
      JWT_ISSUER_FILES: "/a",
      CLIENT_ID_: "",
      JWT_AUDIENCES: "a",
      CLIENT_KEY: "k",
    };
    expect(told(env)).toMatchObject({
      CLIENT_SECRET: "is not set, but CLIENT_SECERT is; expected a secret",
      JWT_ISSUER: expect.stringMatching(/^is not set, but JWT_ISSUER_FILES is; /),
      JWT_AUDIENCE: "is not set, but JWT_AUDIENCES is; expected at least 1 comma-separated value",
      CLIENT_ID: "is not set",
    });
  });
});

describe("secrets", () => {
  const schema = z.object({ SESSION_SECRET: secret({ min: 16 }), OTHER_SECRET: secret().optional() });

  test("come from a file as well, without the line end an editor leaves", () => {
    const path = fileWith("correct horse battery\r\n\n");
    expect(loadEnv(schema, { SESSION_SECRET_FILE: path }).SESSION_SECRET).toBe("correct horse battery");
  });

  test("given twice are refused: nobody knows which one counts", () => {
    const env = { SESSION_SECRET: "a".repeat(16), SESSION_SECRET_FILE: fileWith("b".repeat(16)) };
    expect(problems(() => loadEnv(schema, env))).toEqual([
      { name: "SESSION_SECRET", problem: "given twice: set SESSION_SECRET or SESSION_SECRET_FILE, not both" },
    ]);
  });

  test("in a file that cannot be read, or is empty, are named with the file", () => {
    const missing = join(folder, "missing");
    const env = { SESSION_SECRET_FILE: missing, OTHER_SECRET_FILE: fileWith("\n") };
    const [first, second] = problems(() => loadEnv(schema, env));
    expect(first).toEqual({
      name: "SESSION_SECRET",
      problem: `SESSION_SECRET_FILE names ${JSON.stringify(missing)}, which cannot be read (ENOENT)`,
    });
    expect(second?.problem).toMatch(/which is empty$/);
  });

  test("are never printed, whether marked, wrapped, or only named like one", () => {
    const telling = z.object({
      SESSION_SECRET: secret({ min: 99 }).optional(),
      LITELLM_MASTER_KEY: z.string().max(3).optional(),
      DATABASE_URL: url({ schemes: ["postgresql"] }).optional(),
      WORDS: list({ min: 9 }).optional(),
    });
    const env = {
      SESSION_SECRET: "canary-one",
      LITELLM_MASTER_KEY: "canary-two",
      DATABASE_URL: "mysql://app:canary-three@db/x",
      WORDS: "sk-canary-four",
    };
    const read = () => loadEnv(telling, env);
    expect(problems(read)).toHaveLength(4);
    expect(read).toThrow(expect.objectContaining({ message: expect.not.stringContaining("canary") }));
  });

  test("a variable that is itself called …_FILE is not a detour", () => {
    const withPath = z.object({ KEY_FILE: z.string(), KEY: z.string().optional() });
    expect(loadEnv(withPath, { KEY_FILE: "/a/path" })).toEqual({ KEY_FILE: "/a/path" });
  });
});
