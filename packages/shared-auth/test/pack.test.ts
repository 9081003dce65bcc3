import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestIssuer, type TestIssuer } from "../src/testing.ts";

const run = promisify(execFile);
const here = resolve(import.meta.dirname, "..");
const bin = join(here, "node_modules/.bin");
let folder: string;
let tarball: string;
let issuer: TestIssuer;

const entryPoints = ["", "/exchange", "/introspection", "/hono", "/testing"];
const platform = `${process.platform}-${process.arch}`;
const { engines, peerDependencies } = JSON.parse(readFileSync(join(here, "package.json"), "utf8"));
/** Each Node as an npm package of its own, so that one install brings them all; the oldest is the one that `engines` promises. */
const nodes = {
  node22: `npm:node-${platform}@${engines.node.replace(">=", "")}.0`,
  node24: `npm:node-${platform}@24`,
  node26: `npm:node-${platform}@26`,
};

/** A consumer's project: the tarball, what its README names, and a compiler. */
beforeAll(async () => {
  issuer = await createTestIssuer({ path: "/oauth2/default" });
  folder = await mkdtemp(join(tmpdir(), "consumer-"));
  await run("npx", ["-y", "pnpm@12.21.0", "--filter", "@onbehalf/shared-auth", "pack", "--pack-destination", folder], {
    cwd: here,
  });
  tarball = join(folder, (await readdir(folder)).find((name) => name.endsWith(".tgz")) ?? "");
  const dependencies = {
    "@onbehalf/shared-auth": `file:${tarball}`,
    hono: peerDependencies.hono,
    typescript: "^5.9",
    "@types/node": "^22",
    ...nodes,
  };
  await writeFile(
    join(folder, "package.json"),
    JSON.stringify({ name: "consumer", type: "module", private: true, dependencies }),
  );
  await run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts"], { cwd: folder });
  const readme = await readFile(join(here, "README.md"), "utf8");
  const [first = "", second = ""] = [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code);
  await mkdir(join(folder, "src"));
  await writeFile(
    join(folder, "src/readme.ts"),
    first.replaceAll("https://id.example.com/oauth2/default", issuer.issuer),
  );
  await writeFile(join(folder, "src/exchange.ts"), `import { app } from "./readme.ts";\n${second}`);
  await writeFile(join(folder, "src/run.ts"), consumer);
  const entries = entryPoints.map((name) => `export * from "@onbehalf/shared-auth${name}";`);
  await writeFile(join(folder, "src/entries.ts"), entries.join("\n"));
}, 180_000);
afterAll(async () => {
  await issuer?.close();
  await rm(folder, { recursive: true, force: true });
});

/** What the consumer does with the README's application. */
const consumer = `import { app } from "./readme.ts";
const call = async (method: string, path: string, token?: string) => {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: "Bearer " + token };
  const answer = await app.request(path, { method, headers });
  return { status: answer.status, challenge: answer.headers.get("www-authenticate"), body: await answer.text() };
};
const [good = "", expired = "", writer = ""] = process.argv.slice(2);
console.log(JSON.stringify({
  node: process.versions.node.split(".")[0],
  good: await call("GET", "/api/me", good),
  absent: await call("GET", "/api/me"),
  expired: await call("GET", "/api/me", expired),
  unscoped: await call("POST", "/api/orders", good),
  scoped: await call("POST", "/api/orders", writer),
}));
`;

describe("the packed library in an empty project", () => {
  test.each(["22", "24", "26"])("the README's first example protects a service on Node %s", async (major) => {
    const node = join(folder, `node_modules/node${major}/bin/node`);
    const audience = { aud: "orders", groups: ["staff"] };
    const tokens = [audience, { ...audience, exp: 1 }, { ...audience, scp: ["orders.write"] }].map((claims) =>
      issuer.mint(claims),
    );
    const { stdout } = await run(node, ["src/run.ts", ...(await Promise.all(tokens))], { cwd: folder });
    expect(JSON.parse(stdout)).toEqual({
      node: major,
      good: { status: 200, challenge: null, body: '{"user":"alice","groups":["staff"]}' },
      absent: { status: 401, challenge: "Bearer", body: expect.stringContaining("token_absent") },
      expired: {
        status: 401,
        challenge: expect.stringContaining('error="invalid_token"'),
        body: expect.stringContaining("expired"),
      },
      unscoped: {
        status: 403,
        challenge: expect.stringContaining('scope="orders.write"'),
        body: expect.stringContaining("insufficient_scope"),
      },
      scoped: { status: 200, challenge: null, body: '{"ordered":true}' },
    });
  });

  test.each([
    ["a browser's types beside Node's", "es2022,dom"],
    ["Node's alone", "es2022"],
  ])("both examples compile against the packed types, strictly, with %s", async (_, lib) => {
    const strict = ["--strict", "--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess", "--verbatimModuleSyntax"];
    const modules = ["--module", "nodenext", "--target", "es2022", "--allowImportingTsExtensions", "--noEmit"];
    const compiler = join(folder, "node_modules/typescript/bin/tsc");
    const files = ["src/run.ts", "src/exchange.ts", "src/entries.ts"];
    await run(process.execPath, [compiler, ...strict, ...modules, "--lib", lib, ...files], { cwd: folder });
  });

  test("every entry point loads, and nothing but the library is in the tarball", async () => {
    const entries = entryPoints.map((name) => `await import("@onbehalf/shared-auth${name}");`);
    await run(join(folder, "node_modules/node22/bin/node"), ["--input-type=module", "-e", entries.join("\n")], {
      cwd: folder,
    });
    const files = await readdir(join(folder, "node_modules/@onbehalf/shared-auth"), { recursive: true });
    expect(files.filter((name) => /\.test\.|fixtures|(?<!\.d)\.ts$/.test(name))).toEqual([]);
    expect(files).toEqual(expect.arrayContaining(["README.md", "LICENSE", "package.json"]));
  });

  test("publint and are-the-types-wrong have nothing to say", async () => {
    await run(join(bin, "publint"), ["run", tarball, "--strict"]);
    await run(join(bin, "attw"), [tarball, "--profile", "esm-only"]);
  });

  // The last one, for the others are about the newest. That Hono's own types do not compile by themselves.
  test("the first example also goes with the oldest Hono that is promised", async () => {
    const oldest = peerDependencies.hono.replace("^", "");
    await run("npm", ["install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", `hono@${oldest}`], {
      cwd: folder,
    });
    const own = ["--strict", "--verbatimModuleSyntax", "--skipLibCheck", "--lib", "es2022,dom,dom.iterable"];
    const modules = ["--module", "nodenext", "--target", "es2022", "--allowImportingTsExtensions", "--noEmit"];
    const compiler = join(folder, "node_modules/typescript/bin/tsc");
    await run(process.execPath, [compiler, ...own, ...modules, "src/run.ts", "src/exchange.ts"], { cwd: folder });
    const tokens = [await issuer.mint({ aud: "orders" }), "none", await issuer.mint({ aud: "orders", scp: [] })];
    const { stdout } = await run(join(folder, "node_modules/node22/bin/node"), ["src/run.ts", ...tokens], {
      cwd: folder,
    });
    expect(JSON.parse(stdout)).toMatchObject({
      good: { status: 200 },
      expired: { status: 401 },
      scoped: { status: 403 },
    });
  }, 60_000);
});
