import { describe, expect, it } from "vitest";
import { appFromForm, keyFromForm, wrongForm } from "./admin-forms.ts";

const filled = { name: "Reports", connection: "demo", database: "demo", model: "default", modes: "session" };

function problemOf(parse: () => unknown): string {
  try {
    parse();
  } catch (error) {
    return wrongForm(error);
  }
  throw new Error("the form was taken");
}

const many = (count: number, part: string, separator: string) => Array(count).fill(part).join(separator);

describe("a form that is refused says in the page's own words what to do:", () => {
  it.each([
    ["name", "", "Name: expected 1 to 100 characters on one line"],
    ["name", "a".repeat(101), "Name: expected 1 to 100 characters on one line"],
    ["name", "a\u0007b", "Name: expected 1 to 100 characters on one line"],
    ["connection", "", "Connection: choose the one that holds the data"],
    ["database", "", "Database: expected the name of the database, up to 200 characters"],
    ["model", "", "Model: expected the name of a data model, up to 200 characters; where there is none, default"],
    [
      "named_graphs",
      many(101, "urn:g", ","),
      "Named graphs: expected up to 100 names of up to 500 characters, with commas between them, or nothing for all graphs",
    ],
    ["origins", "intranet", "Other sites: expected addresses such as https://intranet.example.com"],
    [
      "origins",
      many(51, "https://a.example", ","),
      "Other sites: expected up to 50 addresses, each of up to 300 characters, with commas between them",
    ],
    [
      "examples",
      many(9, "Who?", "\n"),
      "Questions to begin with: expected up to 8 questions of up to 200 characters, each on a line of its own",
    ],
    ["modes", "", "Ways in: choose at least one"],
    ["requests_per_minute", "many", "Requests per minute: expected a number from 1 to 100000, or nothing"],
    ["expires_at", "soon", "Ends: expected a date, or nothing"],
  ])("%s as %j", (field, value, words) => {
    const fields = new URLSearchParams({ ...filled, [field]: value });
    expect(problemOf(() => appFromForm(fields))).toBe(words);
  });

  it("a key without a name", () => {
    expect(problemOf(() => keyFromForm(new URLSearchParams({ name: " ", days: "" }), 0))).toBe(
      "Name: expected 1 to 100 characters on one line",
    );
  });
});
