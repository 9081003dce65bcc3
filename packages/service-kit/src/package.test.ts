import { readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join, relative } from "node:path";
import { describe, expect, test } from "vitest";
import * as kit from "./index.ts";
import * as testing from "./testing/index.ts";

const source = import.meta.dirname;

const files = readdirSync(source, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => ({ name, text: readFileSync(join(source, name), "utf8") }));
const shipped = files.filter(({ name }) => !/\.(?:test|contract)\.ts$/.test(name));

function code(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");
}

/** What a file imports, static or not; types leave no trace at run time. */
function imports(text: string, { types }: { readonly types: boolean }): string[] {
  const found = text.matchAll(/(?:^|\n)(?:import|export)\s+(type\s)?[^;]*?from\s+"([^"]+)"|import\("([^"]+)"\)/g);
  return [...found].flatMap(([, type, from, dynamic]) => (type && !types ? [] : [from ?? dynamic ?? ""]));
}

test("what services can use is a decision, not an accident", () => {
  expect({ kit: Object.keys(kit).sort(), testing: Object.keys(testing).sort() }).toMatchInlineSnapshot(`
    {
      "kit": [
        "ClientGone",
        "ConfigError",
        "HttpError",
        "ShuttingDown",
        "StoreUnavailable",
        "answerHeader",
        "answerHeaders",
        "beginRequest",
        "bodyLimit",
        "byVariable",
        "count",
        "createDeadlines",
        "createFileCheck",
        "createLogger",
        "createRandomHex",
        "createTelemetry",
        "createTrail",
        "dataFolder",
        "databaseUrl",
        "errorHandler",
        "flag",
        "healthRoutes",
        "hideAlso",
        "isSqliteBusy",
        "issuer",
        "jsonBody",
        "list",
        "loadEnv",
        "loadFile",
        "loadObject",
        "makePrivately",
        "mask",
        "memoryStore",
        "notFound",
        "noticeWithinGrace",
        "openDatabase",
        "openRedis",
        "openSqlite",
        "origins",
        "parseTraceparent",
        "port",
        "privateKeyFile",
        "readEnv",
        "readiness",
        "redisStore",
        "redisTokenStore",
        "redisUrl",
        "requestContext",
        "runMain",
        "seconds",
        "secret",
        "securityHeaders",
        "serve",
        "telemetryFields",
        "tokenStoreOver",
        "trailIdentity",
        "url",
        "urls",
        "within",
        "writeAtTurnsEnd",
      ],
      "testing": [
        "captureLogs",
        "findProgram",
        "freePort",
        "isInstalled",
        "startPostgres",
        "startRedis",
      ],
    }
  `);
});

describe("this package", () => {
  test("imports no service, and of the library its public surface only", () => {
    const foreign = files.flatMap(({ name, text }) =>
      imports(text, { types: true })
        .filter((from) => from.startsWith("@onbehalf/") && from !== "@onbehalf/shared-auth")
        .map((from) => `${name} imports ${from}`),
    );
    expect(foreign).toEqual([]);
  });

  test("imports only what its manifest names", () => {
    const manifest: { dependencies: Record<string, string> } = JSON.parse(
      readFileSync(join(source, "..", "package.json"), "utf8"),
    );
    const known = new Set([
      ...Object.keys(manifest.dependencies),
      ...builtinModules.map((name) => `node:${name}`),
      "node:sqlite",
    ]);
    const unknown = shipped.flatMap(({ name, text }) =>
      imports(text, { types: true })
        .filter((from) => !from.startsWith("."))
        .map((from) => (from.startsWith("node:") ? `node:${from.slice(5).split("/")[0]}` : packageOf(from)))
        .filter((from) => !known.has(from))
        .map((from) => `${name} imports ${from}`),
    );
    expect(unknown).toEqual([]);
  });

  test("reads the environment nowhere but in the tests' search for programs", () => {
    const readers = shipped.filter(({ text }) => code(text).includes("process.env")).map(({ name }) => name);
    expect(readers).toEqual([join("testing", "programs.ts")]);
  });

  test("ends the process only in the body of a main.ts", () => {
    expect(shipped.filter(({ text }) => text.includes("process.exit(")).map(({ name }) => name)).toEqual(["run.ts"]);
  });

  test("ships nothing of its tests, and the search for programs needs nothing but Node", () => {
    const leaks = shipped
      .filter(({ name }) => !name.startsWith("testing"))
      .flatMap(({ name, text }) =>
        imports(text, { types: true })
          .filter((from) => from.includes("/testing"))
          .map(() => name),
      );
    expect(leaks).toEqual([]);
    const programs = files.find(({ name }) => name === join("testing", "programs.ts"));
    expect(imports(programs?.text ?? "", { types: true }).every((from) => from.startsWith("node:"))).toBe(true);
  });

  test.each(["redis", "pg", "kysely", "@opentelemetry/api", "@opentelemetry/sdk-metrics", "@opentelemetry/sdk-trace"])(
    "loads %s only when a service uses it",
    (name) => {
      expect([...loadedFrom("index.ts")].filter((from) => packageOf(from) === name)).toEqual([]);
    },
  );

  test("has no file over 300 lines", () => {
    expect(files.filter(({ text }) => text.split("\n").length > 300).map(({ name }) => name)).toEqual([]);
  });
});

/** Packages that are loaded with a file: its static imports and theirs. */
function loadedFrom(entry: string, seen = new Set<string>()): Set<string> {
  const packages = new Set<string>();
  if (seen.has(entry)) return packages;
  seen.add(entry);
  const text = files.find(({ name }) => name === entry)?.text.replace(/import\("[^"]+"\)/g, "") ?? "";
  for (const from of imports(text, { types: false })) {
    if (!from.startsWith(".")) packages.add(from);
    else for (const found of loadedFrom(relative(source, join(source, entry, "..", from)), seen)) packages.add(found);
  }
  return packages;
}

function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}
