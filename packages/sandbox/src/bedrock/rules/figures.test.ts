import { describe, expect, it } from "vitest";
import { figuresIn } from "./figures.ts";
import { twoQuestions } from "./two-questions.ts";

const first = (question: string) => figuresIn(question)[0];

describe("numbers in a question", () => {
  it.each([
    ["Which cost more than 200000?", ">", 200_000],
    ["Which cost over 200,000 euros?", ">", 200_000],
    ["Which cost above €200 000?", ">", 200_000],
    ["Which cost at least 200k?", ">=", 200_000],
    ["Which cost no less than 0.5 million?", ">=", 500_000],
    ["Which cost 3 thousand or more?", ">=", 3000],
    ["Which cost under 1m?", "<", 1_000_000],
    ["Which have fewer than four members?", "<", 4],
    ["Which cost no more than 12.5?", "<=", 12.5],
    ["Which cost at most twelve?", "<=", 12],
    ["Which cost ten or less?", "<=", 10],
    ["Which have exactly one?", "=", 1],
  ])("%s", (question, sign, value) => {
    expect(first(question)?.figure).toEqual({ kind: "compared", tests: [{ sign, value }], between: false });
  });

  it("two of them are a range, its ends among it", () => {
    const tests = [
      { sign: ">=", value: 2017 },
      { sign: "<=", value: 2019 },
    ];
    expect(first("Who joined between 2017 and 2019?")).toEqual({
      figure: { kind: "compared", tests, between: true },
      rest: "Who joined ?",
    });
    expect(first("Who joined from 2017 to 2019?")?.figure).toMatchObject({ tests });
  });

  it("their words are taken out of the question, and nothing else is", () => {
    expect(first("Which projects have a budget of more than 100 in Lisbon?")?.rest).toBe(
      "Which projects have a budget in Lisbon?",
    );
    expect(first("What is the total budget of all projects?")?.rest).toBe("What is the budget for all projects?");
    expect(first("What are the top five projects by budget?")).toEqual({
      figure: { kind: "ranked", places: 5, direction: undefined },
      rest: "Which projects have the largest budget?",
    });
  });

  it.each([
    "Who knows more than Bob?",
    "Which cost more than half a million?",
    "Which cost more than $200?",
    "Who works under Dana?",
    "Which systems are used by most projects?",
    "Who leads Atlas?",
  ])("%s has none", (question) => expect(figuresIn(question)).toEqual([]));
});

describe("two questions in one", () => {
  it.each([
    ["How many are there and who leads Atlas?", "How many are there?", "who leads Atlas?"],
    ["Who leads Atlas, and when did it start?", "Who leads Atlas?", "when did it start?"],
    ["How many are there? Who leads Atlas?", "How many are there?", "Who leads Atlas?"],
    ["Is Bob in Data and is Alice in Maps?", "Is Bob in Data?", "is Alice in Maps?"],
  ])("%s", (question, one, other) => expect(twoQuestions(question)).toEqual([one, other]));

  it.each([
    "Who knows Rust and Go?",
    "Who leads Atlas and is based in Lisbon?",
    "Which people work on Atlas and know Rust?",
    "List people who work on Atlas and who know Rust",
    "Who leads A and who leads B and who leads C?",
    "Who leads Atlas?",
  ])("%s is one", (question) => expect(twoQuestions(question)).toBeUndefined());
});
