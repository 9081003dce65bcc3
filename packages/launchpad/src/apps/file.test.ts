import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigError } from "@onbehalf/service-kit";
import { afterAll, describe, expect, it } from "vitest";
import { readAppsFile } from "./file.ts";
import { createKey } from "./key.ts";

const folder = mkdtempSync(join(tmpdir(), "onbehalf-apps-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const made = createKey();
writeFileSync(join(folder, "key"), `${made.key}\n`);
const read = (text: string, env = {}) => {
  const path = join(folder, "apps.yaml");
  writeFileSync(path, text);
  return readAppsFile(path, env);
};
const problems = (text: string, env = {}): string => {
  try {
    read(text, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return "";
};
const app = (keys: string, more = ""): string =>
  `apps:\n  - id: demo\n    name: Demo\n    connection: c\n    database: d\n${more}    keys:\n${keys}`;

describe("the applications file", () => {
  it.each([
    ["by hash", `      - { name: k, sha256: ${made.hash} }\n`],
    ["by a file beside it", "      - { name: k, key_file: key }\n"],
    ["by the environment", "      - { name: k, key: os.environ/APP_KEY }\n"],
  ])("names a key %s, and keeps only its hash", (_, line) => {
    const { keys, apps } = read(app(line), { APP_KEY: made.key });
    expect(keys).toMatchObject([{ app_id: "demo", hash: made.hash }]);
    expect(apps).toMatchObject([{ id: "demo", model: "default", modes: ["session", "jwt"], source: "file" }]);
    expect(JSON.stringify(keys)).not.toContain(made.key);
  });

  it.each([
    ["a key in clear", `      - { name: k, key: ${made.key} }\n`, "in clear"],
    ["no key", "      - { name: k }\n", "says no key"],
    ["an unset variable", "      - { name: k, key: os.environ/NOWHERE }\n", "NOWHERE, which is not set"],
    ["a missing key file", "      - { name: k, key_file: nowhere }\n", "cannot be read"],
    ["an unknown field", "      - { name: k, sha265: x }\n", "sha256"],
  ])("refuses %s and never prints it", (_, line, words) => {
    const said = problems(app(line));
    expect(said).toContain(words);
    expect(said).not.toContain(made.key);
  });

  it("names every problem at once", () => {
    const said = problems("apps:\n  - { id: A B, name: '', connection: c, database: d, colour: red }\n");
    for (const word of ["id", "name", "colour"]) expect(said).toContain(word);
  });

  it("says so when it is not there or no YAML", () => {
    expect(() => readAppsFile(join(folder, "nowhere.yaml"), {})).toThrow(/nowhere\.yaml.*cannot be read/);
    expect(problems("apps: [")).toContain("apps.yaml");
  });
});
