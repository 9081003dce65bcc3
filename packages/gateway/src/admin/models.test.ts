import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { anthropicModel } from "./models.ts";

/** The members of an interface of Anthropic's SDK. */
function members(file: string, name: string): string[] {
  const resources = join(import.meta.dirname, "../../node_modules/@anthropic-ai/sdk/resources");
  const types = readFileSync(join(resources, file), "utf8");
  const from = types.slice(types.indexOf(`export interface ${name} {`));
  const body = from.slice(0, from.search(/^}/m));
  return [...body.matchAll(/^ {4}([a-z_]+): /gm)].map(([, member = ""]) => member);
}

test("a model in Anthropic's form has every field that the newest SDK promises, and no other", () => {
  const promised = [...members("models.d.ts", "ModelInfo"), ...members("beta/models.d.ts", "BetaModelInfo")];
  expect(promised.length).toBeGreaterThan(20);
  expect(Object.keys(anthropicModel("m")).sort()).toEqual([...new Set(promised)].sort());
});
