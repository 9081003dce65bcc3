import { describe, expect, it } from "vitest";
import { importsOf, loadedBy, read, sources } from "./source.ts";

const services = ["launchpad", "voicebox", "gateway"];
const packageOf = (path: string): string => path.split("/")[1] ?? "";
const imports = sources.flatMap(importsOf);
const show = ({ from, to }: { from: string; to: string }): string => `${from} imports ${to}`;

/** Programs: started by a person or a process manager, imported by nobody. */
const isEntry = (path: string): boolean => /\/src\/(main|cli)\.ts$/.test(path);

/** What only tests load. */
const isSupport = (path: string): boolean => /(^|\/|-)(testing|fixtures)(\/|\.ts$|$)/.test(path);

/** The stages of each service's pipeline. They meet in app.ts. */
const stages: Readonly<Record<string, readonly string[]>> = {
  gateway: ["authenticate", "parse", "authorize", "limit", "answer", "forward", "record/"],
  voicebox: ["identify", "exchanges", "graph/", "llm/", "record"],
  launchpad: ["login/", "exchanges", "voicebox", "trail"],
};

describe("who may import whom", () => {
  it("sees the files and imports it judges", () => {
    expect(sources.length).toBeGreaterThan(30);
    expect(imports.length).toBeGreaterThan(100);
  });

  it("entry points are imported by nobody", () => {
    expect(imports.filter(({ to }) => isEntry(to)).map(show)).toEqual([]);
  });

  it("only entry points read the process's environment", () => {
    const code = (path: string): string => read(path).replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");
    const readers = sources.filter((path) => !isEntry(path) && !isSupport(path) && /\bprocess\.env\b/.test(code(path)));
    expect(readers).toEqual([]);
  });

  it("services never import each other", () => {
    const across = imports.filter(
      ({ from, to }) =>
        services.includes(packageOf(from)) &&
        services.some(
          (name) => name !== packageOf(from) && (to === `@onbehalf/${name}` || to.startsWith(`packages/${name}/`)),
        ),
    );
    expect(across.map(show)).toEqual([]);
  });

  it("nobody but the sandbox imports a service", () => {
    const users = imports.filter(
      ({ from, to }) => services.some((name) => to === `@onbehalf/${name}`) && packageOf(from) !== "sandbox",
    );
    expect(users.map(show)).toEqual([]);
  });

  it("shared-auth depends on no other package here", () => {
    const others = imports.filter(
      ({ from, to }) =>
        packageOf(from) === "shared-auth" &&
        ((to.startsWith("@onbehalf/") && !to.startsWith("@onbehalf/shared-auth")) ||
          (to.startsWith("packages/") && packageOf(to) !== "shared-auth")),
    );
    expect(others.map(show)).toEqual([]);
  });

  it("the core of shared-auth loads neither hono nor openid-client", () => {
    const loaded = [...loadedBy("packages/shared-auth/src/index.ts")];
    expect(loaded).toContain("packages/shared-auth/src/errors.ts");
    expect(loaded.filter((name) => /^(hono|openid-client|@hono)/.test(name))).toEqual([]);
  });

  it("relative imports stay inside their package", () => {
    const outside = imports.filter(({ from, to }) => to.startsWith("packages/") && packageOf(to) !== packageOf(from));
    expect(outside.map(show)).toEqual([]);
  });

  it("test supports are never imported by what runs", () => {
    const supports = imports.filter(({ from, to }) => isSupport(to) && !isSupport(from));
    expect(supports.map(show)).toEqual([]);
  });

  it.each(Object.entries(stages))("the stages of %s know each other by types only", (service, names) => {
    const stageOf = (path: string): string | undefined =>
      names.find((name) => path.startsWith(`packages/${service}/src/${name}${name.endsWith("/") ? "" : "."}`));
    const known = imports.filter(({ from, to, typeOnly }) => {
      const [a, b] = [stageOf(from), stageOf(to)];
      return a !== undefined && b !== undefined && a !== b && !typeOnly;
    });
    expect(known.map(show)).toEqual([]);
  });
});

describe("size and names", () => {
  it("no source file has more than 300 lines", () => {
    expect(sources.filter((path) => read(path).split("\n").length > 301)).toEqual([]);
  });

  it("files are named after what they are, not after being useful", () => {
    expect(sources.filter((path) => /(^|\/)(utils?|helpers?|managers?|common|misc)(\/|\.ts$)/.test(path))).toEqual([]);
  });
});
