import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "@onbehalf/service-kit";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { fileSchema } from "./file-schema.ts";
import { unreadKeys } from "./litellm-keys.ts";
import { parseFile } from "./read.ts";

function check(...file: Parameters<typeof parseFile>): void {
  const { problems } = parseFile(...file);
  if (problems.length > 0) throw new ConfigError(problems);
}

const readme = readFileSync(join(import.meta.dirname, "../../README.md"), "utf8");

describe("the README's tables of LiteLLM's keys", () => {
  test("have a row for every key that is not read, with how it is treated", () => {
    const rows = unreadKeys().map(({ key, treated, why }) => `| \`${key}\` | ${treated} | ${why} |`);
    expect(rows.filter((row) => !readme.includes(row))).toEqual([]);
  });

  test("name every key that is read", () => {
    const shape = fileSchema.shape;
    const sections = [shape.general_settings, shape.litellm_settings].map((section) => {
      const inner = section._zod.def.innerType;
      return Object.keys(inner instanceof z.ZodObject ? inner.shape : {});
    });
    expect(sections.every((keys) => keys.length > 0)).toBe(true);
    const known = [...Object.keys(shape), ...sections.flat()];
    expect(known.filter((key) => !readme.includes(key))).toEqual([]);
  });

  test("its configuration examples are read as they stand", () => {
    const blocks = [...readme.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text ?? "");
    expect(blocks).toHaveLength(4);
    for (const text of blocks) expect(() => check(text, "README.md", {})).not.toThrow();
  });
});

describe("a key nobody knows", () => {
  test.each([
    ["general_settings: { master_keys: x }", /master_keys.*master_key/],
    ["acess: {}", /acess.*access/],
    ["access: { groups: { a: { model: [x] } } }", /model.*models/],
    ["limits: { when_unavailable: open }", /when_unavailable/],
    ["issuers: [{ issuer: x }]", /issuers\[0\]\.audience/],
  ])("%s is refused with what was meant", (text, words) => {
    expect(() => check(text, "gateway.yaml", {})).toThrow(words);
  });

  test("all problems of a file are said at once", () => {
    const text =
      "acess: {}\ngeneral_settings: { master_key: os.environ/NOWHERE, allowed_ips: [a], jwt_public_key_url: x }\nlimits: { local_share: 7 }";
    expect(() => check(text, "gateway.yaml", {})).toThrow(
      /(?=[\s\S]*acess)(?=[\s\S]*NOWHERE)(?=[\s\S]*allowed_ips)(?=[\s\S]*jwt_public_key_url)(?=[\s\S]*local_share)/,
    );
  });
});
