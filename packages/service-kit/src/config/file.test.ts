import { describe, expect, test } from "vitest";
import { z } from "zod";
import { loadFile } from "./file.ts";
import { ConfigError } from "./problems.ts";

const model = z.object({ model_name: z.string(), rpm: z.number().int().optional() });
const schema = z.object({
  model_list: z.array(model),
  general_settings: z
    .object({ enable_jwt_auth: z.boolean().default(false), jwt_audience: z.union([z.string(), z.array(z.string())]) })
    .optional(),
  groups: z.record(z.string(), z.object({ models: z.array(z.string()) })).default({}),
  routes: z
    .array(z.union([z.string(), z.object({ path: z.string(), allowed_groups: z.array(z.string()) })]))
    .optional(),
  free: z.looseObject({}).optional(),
  connection: z
    .discriminatedUnion("type", [
      z.object({ type: z.literal("embedded"), files: z.array(z.string()) }),
      z.object({ type: z.literal("sparql"), url: z.string() }),
    ])
    .optional(),
});

function problems(text: string, format: "json" | "yaml" = "yaml"): Record<string, string> {
  try {
    loadFile(schema, { text, name: "gateway.yaml" }, { format });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return Object.fromEntries(error.problems.map(({ name, problem }) => [name, problem]));
  }
  return {};
}

describe("a file", () => {
  test("in YAML and in JSON gives the same", () => {
    const yaml = loadFile(schema, { text: "model_list: [{model_name: a}]", name: "f" }, { format: "yaml" });
    const json = loadFile(schema, { text: '{"model_list":[{"model_name":"a"}]}', name: "f" }, { format: "json" });
    expect(yaml).toEqual({ model_list: [{ model_name: "a" }], groups: {} });
    expect(json).toEqual(yaml);
    expect(Object.isFrozen(yaml.model_list[0])).toBe(true);
  });

  test("with misspelt keys names each with the nearest known one, at any depth, beside wrong values", () => {
    const text = `
model_list: [{model_name: a, rmp: 3}, {model_name: 7}]
general_setings: {}
general_settings: {enable_jwt_aut: true, jwt_audience: x}
groups: {developers: {model: [a]}}
routes: [/v1, {path: /v2, allowed_group: [x]}]
connection: {type: sparql, uri: "http://a"}
free: {anything: goes}
`;
    expect(problems(text)).toEqual({
      "gateway.yaml: model_list[0].rmp": 'unknown key; did you mean "rpm"?',
      "gateway.yaml: model_list[1].model_name": expect.stringContaining("expected string"),
      "gateway.yaml: general_setings": 'unknown key; did you mean "general_settings"?',
      "gateway.yaml: general_settings.enable_jwt_aut": 'unknown key; did you mean "enable_jwt_auth"?',
      "gateway.yaml: groups.developers.model": 'unknown key; did you mean "models"?',
      "gateway.yaml: groups.developers.models": expect.stringContaining("expected array"),
      "gateway.yaml: routes[1].allowed_group": 'unknown key; did you mean "allowed_groups"?',
      "gateway.yaml: routes[1]": expect.any(String),
      "gateway.yaml: connection.uri": 'unknown key; did you mean "url"?',
      "gateway.yaml: connection.url": expect.stringContaining("expected string"),
    });
  });

  test("with a key like nothing known lists what is known", () => {
    expect(problems("model_list: [{model_name: a, xyzzy_plugh: 3}]")).toEqual({
      "gateway.yaml: model_list[0].xyzzy_plugh": "unknown key; known are model_name, rpm",
    });
  });

  test("that a strict schema refuses is reported once", () => {
    const strict = z.strictObject({ name: z.string() });
    expect(() => loadFile(strict, { text: '{"name":"a","nam":1}', name: "f" }, { format: "json" })).toThrow(
      '1 problem in the configuration:\n  f: nam: unknown key; did you mean "name"?',
    );
  });

  test("that is no YAML or JSON says where", () => {
    expect(problems("model_list: [", "yaml")["gateway.yaml"]).toMatch(/^is not YAML: .*line 1/);
    expect(problems("{", "json")["gateway.yaml"]).toMatch(/^is not JSON: /);
  });

  test("that is missing is named", () => {
    expect(() => loadFile(schema, "/nowhere/gateway.yaml", { format: "yaml" })).toThrow(
      "/nowhere/gateway.yaml: cannot be read (ENOENT)",
    );
  });

  test("that multiplies itself by aliases is refused", () => {
    const bomb = ["a: &a [x,x,x,x,x,x,x,x,x]"];
    for (const [name, from] of ["ba", "cb", "dc", "ed", "fe", "gf", "hg", "ih"].map((pair) => [...pair])) {
      bomb.push(`${name}: &${name} [${Array(9).fill(`*${from}`).join(",")}]`);
    }
    expect(problems(bomb.join("\n"))["gateway.yaml"]).toMatch(/^is not YAML: /);
  });

  test("cannot reach an object's prototype", () => {
    const names = Object.keys(problems('{"model_list":[],"__proto__":{"x":1},"constructor":{}}', "json"));
    expect(names).toEqual(["gateway.yaml: __proto__", "gateway.yaml: constructor"]);
  });
});
