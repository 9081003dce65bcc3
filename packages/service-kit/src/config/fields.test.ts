import { generateKeyPairSync } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { loadEnv } from "./env.ts";
import { databaseUrl, issuer, origins, redisUrl, telemetryFields, urls } from "./fields.ts";
import { dataFolder, privateKeyFile } from "./paths.ts";
import { ConfigError } from "./problems.ts";

const folder = mkdtempSync(join(tmpdir(), "onbehalf-fields-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What is said of the value; the value itself when it is good. */
function read(field: z.ZodType, value: string): unknown {
  try {
    return loadEnv(z.object({ V: field }), { V: value }).V;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    expect(error.problems).toHaveLength(1);
    return new Error(error.problems[0]?.problem);
  }
}

function refusal(words: string): unknown {
  return expect.objectContaining({ message: expect.stringContaining(words) });
}

describe("addresses", () => {
  test.each([
    ["https://a/keys,http://localhost:1/keys/", ["https://a/keys", "http://localhost:1/keys/"]],
    ["https://a,notaurl", refusal("each; not notaurl")],
    ["https://a,http://example.com/keys", refusal("plain http is for this machine only")],
    ["https://user:word@a/keys", refusal("without user name and password")],
    [",", refusal("at least 1")],
  ])("%s as several, each by the letter", (text, expected) => {
    expect(read(urls({ httpOnLoopbackOnly: true }), text)).toEqual(expected);
  });

  test.each([
    ["https://a.example/", "https://a.example/"],
    ["notaurl", refusal("the issuer as its tokens name it")],
    ["mailto:a", refusal("https://…")],
    ["http://a.example", refusal("plain http")],
  ])("%s as an issuer", (text, expected) => {
    expect(read(issuer({ httpOnLoopbackOnly: true }), text)).toEqual(expected);
  });

  test("an issuer whose keys have an address of their own is only a name", () => {
    expect(read(issuer(), "http://a.example")).toBe("http://a.example");
  });

  test.each([
    [databaseUrl(), "postgresql://u:p@h/d", "postgresql://u:p@h/d"],
    [databaseUrl(), "postgres:///d?host=/run", "postgres:///d?host=/run"],
    [databaseUrl(), "canary", refusal("postgresql://host:5432/database")],
    [databaseUrl(), "mysql://canary", refusal("postgresql://host:5432/database")],
    [databaseUrl(), "postgresql://u:canary100%@h/d", refusal("percent-encoded")],
    [redisUrl(), "redis://u:canary100%@h", refusal("percent-encoded")],
    [telemetryFields().OTEL_EXPORTER_OTLP_HEADERS, "x-key=canary%", refusal("percent-encoded")],
    [redisUrl(), "rediss://:p@h:6379/2", "rediss://:p@h:6379/2"],
    [redisUrl(), "canary", refusal("redis://host:6379")],
    [redisUrl(), "http://canary:1", refusal("redis://host:6379")],
    [redisUrl(), "redis://h/canary", refusal("redis://host:6379")],
  ])("%#: of stores, and what is wrong is not shown", (field, text, expected) => {
    const said = read(field, text);
    expect(said).toEqual(expected);
    expect(String(said)).not.toContain("canary");
  });

  test.each([
    ["https://a.example,http://localhost:3000", ["https://a.example", "http://localhost:3000"]],
    ["foo", refusal("not foo")],
    ["https://a.example/", refusal("without a path")],
    ["https://*.example", refusal("not https://*.example")],
    ["*", refusal("not *")],
  ])("%s as origins", (text, expected) => {
    expect(read(origins(), text)).toEqual(expected);
  });

  test("all origins, where that is allowed", () => {
    expect(read(origins({ all: true }), "*")).toEqual(["*"]);
  });
});

describe("a private key's file", () => {
  const pem = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const exported = { type: "pkcs8", format: "pem" } as const;

  test("is read at once", () => {
    const path = pem("good.pem", generateKeyPairSync("ed25519").privateKey.export(exported).toString());
    expect(read(privateKeyFile(), path)).toBe(path);
  });

  test.each([
    ["is not there", () => join(folder, "nowhere.pem"), "There is no key file"],
    ["is a folder", () => folder, "cannot be read (EISDIR)"],
    ["holds no key", () => pem("bad.pem", "hello"), "no readable PEM private key"],
    [
      "holds a weak one",
      () => pem("weak.pem", generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey.export(exported).toString()),
      "RSA of at least 2048 bits",
    ],
  ])("that %s is refused", (_, path, words) => {
    expect(read(privateKeyFile(), path())).toEqual(refusal(words));
  });
});

test("a key where its path belongs is not shown", () => {
  const key = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  expect(String(read(privateKeyFile(), key))).not.toContain(key.split("\n")[1]);
});

/** Root may write everywhere. */
function asAnybody<T>(look: () => T): T {
  const root = process.geteuid?.() === 0;
  if (root) process.seteuid?.(65_534);
  try {
    return look();
  } finally {
    if (root) process.seteuid?.(0);
  }
}

describe("a folder for data", () => {
  test("is there, or can be made, and nothing is made yet", () => {
    expect(read(dataFolder(), folder)).toBe(folder);
    expect(read(dataFolder(), join(folder, "a", "b"))).toBe(join(folder, "a", "b"));
    expect(() => rmSync(join(folder, "a"))).toThrow("ENOENT");
  });

  test("is no file, nor below one", () => {
    writeFileSync(join(folder, "file"), "");
    expect(read(dataFolder(), join(folder, "file"))).toEqual(refusal(`${join(folder, "file")} is not a folder`));
    expect(read(dataFolder(), "/dev/null/x")).toEqual(refusal("/dev/null is not a folder"));
  });

  test("may be written to", () => {
    mkdirSync(join(folder, "locked"));
    chmodSync(folder, 0o755);
    chmodSync(join(folder, "locked"), 0o500);
    const locked = () => read(dataFolder(), join(folder, "locked", "x"));
    expect(asAnybody(locked)).toEqual(refusal("may not be written to"));
  });

  test("is checked also when nobody named it", () => {
    const schema = z.object({ DIR: dataFolder().prefault("/dev/null/x") });
    expect(() => loadEnv(schema, {})).toThrow("DIR: expected a folder to keep data in");
  });
});
