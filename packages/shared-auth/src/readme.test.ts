import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { AuthError, type AuthErrorCode } from "./errors.ts";
import { profiles } from "./exchange/profiles/index.ts";
import { toWire } from "./wire.ts";

/** Tables without the blanks that line their columns up. */
const readme = readFileSync(resolve(import.meta.dirname, "../README.md"), "utf8").replace(/ +\|/g, " |");
const errors = readFileSync(resolve(import.meta.dirname, "errors.ts"), "utf8");

test("the README lists every error code with its status, cause and cure", () => {
  const start = errors.indexOf("AuthErrorCode =");
  const union = errors.slice(start, errors.indexOf(";", start));
  const codes = [...union.matchAll(/\| "(\w+)"/g)].map(([, code = ""]) => code as AuthErrorCode);
  const rows = [...readme.matchAll(/^\| `(\w+)` \| (\d{3}) \| (.+?) \| (.+?) \|$/gm)];
  expect(rows.map(([, code]) => code)).toEqual(codes);
  expect(codes.length).toBeGreaterThan(20);
  for (const [, code, status] of rows) {
    expect({ code, status: toWire(new AuthError(code as AuthErrorCode, "x")).status }).toEqual({
      code,
      status: Number(status),
    });
  }
});

test("the README lists every profile", () => {
  for (const name of Object.keys(profiles)) expect(readme).toContain(`| \`${name}\` |`);
});

test("the first example has twenty lines at most", () => {
  const [, example = ""] = /```ts\n(.*?)```/s.exec(readme) ?? [];
  expect(
    example
      .trim()
      .split("\n")
      .filter((line) => line !== "").length,
  ).toBeLessThanOrEqual(20);
});
