import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Chain, startChain } from "../chain.ts";
import type { Person } from "../person.ts";
import { everyName, labelled, rowsOf, values } from "./demo-graph.ts";

interface Answer {
  readonly result: string;
  readonly actions: readonly { readonly type: string; readonly value: unknown }[];
}

const budgets = (filter = "") => labelled(`?x o:budgetEuro ?b . ${filter}`);
const grouped = (inner: string, having: string) =>
  labelled(`{ SELECT ?x { ${inner} } GROUP BY ?x HAVING(COUNT(DISTINCT ?y) ${having}) }`);
const counted = (inner: string) => values(`{ SELECT (STR(COUNT(DISTINCT ?x)) AS ?n) { ${inner} } }`);
const sum = (filter: string) => values(`{ SELECT (STR(SUM(?b)) AS ?n) { ?x o:budgetEuro ?b . ${filter} } }`);
const projects = labelled("?x a o:Project");
const worksOn = (having: string) => grouped("?x a o:Person . OPTIONAL { ?x o:worksOn ?y }", having);

/** What the answer must name, in this order where `ordered`; and what it may name beside it. */
interface Case {
  readonly question: string;
  readonly expected: readonly string[];
  readonly beside?: readonly string[];
  readonly ordered?: boolean;
}

const cases: readonly Case[] = [
  { question: "What is the total budget of all projects?", expected: sum(""), beside: projects },
  { question: "What is the sum of the budgets?", expected: sum(""), beside: projects },
  {
    question: "How much do Atlas and Beacon cost together?",
    expected: [...sum("FILTER(?x IN (:atlas, :beacon))"), "Atlas", "Beacon"],
  },
  {
    question: "What is the total budget of running projects?",
    expected: [...sum("?x o:status 'running'"), ...labelled("?x o:status 'running'")],
  },
  {
    question: "What is the average budget?",
    expected: values("{ SELECT (STR(ROUND(AVG(?b) * 100) / 100) AS ?n) { ?x o:budgetEuro ?b } }"),
    beside: projects,
  },
  { question: "Which projects cost more than 200000?", expected: budgets("FILTER(?b > 200000)") },
  { question: "Which projects have a budget of at least 260,000 euros?", expected: budgets("FILTER(?b >= 260000)") },
  { question: "Which projects have a budget under 180k?", expected: budgets("FILTER(?b < 180000)") },
  {
    question: "Which projects cost between 100000 and 300000?",
    expected: budgets("FILTER(?b >= 100000 && ?b <= 300000)"),
  },
  {
    question: "Which running projects cost more than 200000?",
    expected: budgets("?x o:status 'running' . FILTER(?b > 200000)"),
  },
  {
    question: "How many projects cost more than 200000?",
    expected: counted("?x o:budgetEuro ?b . FILTER(?b > 200000)"),
  },
  {
    question: "Who joined between 2017 and 2019?",
    expected: labelled("?x o:joinedOn ?d . FILTER(YEAR(?d) >= 2017 && YEAR(?d) <= 2019)"),
  },
  { question: "Who works on more than one project?", expected: worksOn("> 1"), beside: projects },
  { question: "Who works on fewer than two projects?", expected: worksOn("< 2"), beside: projects },
  { question: "How many people work on at least two projects?", expected: [String(worksOn(">= 2").length)] },
  { question: "Which person works on the most projects?", expected: worksOn("= 2"), beside: projects },
  { question: "Who works on the fewest projects?", expected: worksOn("= 0") },
  {
    question: "Which teams have fewer than four members?",
    expected: grouped("?y o:memberOf ?x", "< 4"),
    beside: labelled("?x o:memberOf ?t"),
  },
  {
    question: "Which system is used by the most projects?",
    expected: grouped("?y o:uses ?x", "= 4"),
    beside: projects,
  },
  {
    question: "Who works with the most people?",
    expected: [...grouped("?x o:worksOn ?p . ?y o:worksOn ?p . FILTER(?x != ?y)", "= 6"), "works with 6"],
    beside: labelled("?x a o:Person"),
  },
  {
    question: "Top 3 projects by budget",
    expected: labelled("{ SELECT ?x { ?x o:budgetEuro ?b } ORDER BY DESC(?b) LIMIT 3 }"),
    ordered: true,
  },
  {
    question: "What are the 3 newest systems?",
    expected: labelled("{ SELECT ?x { ?x o:releasedOn ?d } ORDER BY DESC(?d) LIMIT 3 }"),
    ordered: true,
  },
  {
    question: "Which three people joined last?",
    expected: labelled("{ SELECT ?x { ?x o:joinedOn ?d } ORDER BY DESC(?d) LIMIT 3 }"),
    ordered: true,
  },
  {
    question: "Which is the cheapest project?",
    expected: labelled("{ SELECT ?x { ?x o:budgetEuro ?b } ORDER BY ?b LIMIT 1 }"),
  },
  { question: "What is the number of employees?", expected: counted("?x a o:Person") },
];

const two: readonly (readonly [question: string, first: readonly string[], second: readonly string[]])[] = [
  ["How many employees are there and who leads Atlas?", counted("?x a o:Person"), labelled("?x o:leads :atlas")],
  [
    "Who leads Atlas and when did it start?",
    labelled("?x o:leads :atlas"),
    values(":atlas o:startedOn ?d . BIND(STR(?d) AS ?n)"),
  ],
  ["What is the total budget and which project has the largest budget?", sum(""), ["Harbor"]],
  ["Does Bob know Rust and does he lead Atlas?", ["Yes", "Rust"], ["No", "Atlas"]],
];

const declined = [
  "Top 3 projects",
  "What is the average budget per team?",
  "What is the median budget?",
  "What is the average salary?",
  "Which projects cost more than $200000?",
  "Which projects do not cost more than 200000?",
  "Which projects have more than two people?",
  "Who leads Atlas and is based in Lisbon?",
  "Which systems are written in Rust and which in Go?",
  "Who joined more than 5 years ago?",
];

describe("questions about numbers, and two in one, over the demo graph", () => {
  let chain: Chain;
  let alice: Person;
  let bob: Person;
  beforeAll(async () => {
    chain = await startChain();
    [alice, bob] = [chain.person(), chain.person()];
    await Promise.all([alice.signIn("alice"), bob.signIn("bob")]);
  });
  afterAll(() => chain.close());

  const ask = async (query: string, who = alice): Promise<Answer> => {
    const response = await who.post("/api/v1/voicebox/ask", { query });
    expect(response.status).toBe(200);
    return (await response.json()) as Answer;
  };
  /** The sandbox says after every answer who has spoken. */
  const said = ({ result }: Answer): string => result.split("\n\n_(")[0] ?? "";
  const namedIn = (text: string) => everyName.filter((name) => new RegExp(`\\b${name}\\b`, "u").test(text));

  it.each(cases)("$question", async ({ question, expected, beside = [], ordered = false }) => {
    expect(expected.length).toBeGreaterThan(0);
    const answer = await ask(question);
    const text = said(answer);
    for (const name of expected) expect(text).toContain(name);
    if (ordered) expect(namedIn(text).toSorted((a, b) => text.indexOf(a) - text.indexOf(b))).toEqual(expected);
    expect(namedIn(text).filter((name) => ![...expected, ...beside].includes(name))).toEqual([]);
    const sparql = String(answer.actions.find(({ type }) => type === "sparql")?.value);
    const proven = rowsOf(sparql).flatMap((row) => [...row.values()].map(({ value }) => value));
    for (const name of expected) expect(proven.join("\n")).toContain(name.replace("works with ", ""));
  });

  it.each(two)("%s", async (question, first, second) => {
    const [one = "", other = "", ...more] = said(await ask(question, bob)).split("\n\n");
    expect(more).toEqual([]);
    for (const name of first) expect(one).toContain(name);
    for (const name of second) expect(other).toContain(name);
    expect(namedIn(other).filter((name) => ![...second, "Atlas", "Bob Baker"].includes(name))).toEqual([]);
  });

  it("says of each of two questions by itself that the graph knows nothing", async () => {
    const text = said(await ask("How many employees are there and who leads Finance?", bob));
    expect(text).toBe(
      `There are ${counted("?x a o:Person")[0]} employees.\n\nI find nothing in the graph for “Finance”.`,
    );
  });

  it("says when there is none, and adds nothing up of what is not all there", async () => {
    expect(said(await ask("Which projects cost over 2 million?", bob))).toBe(
      "The graph has no projects of which it says so.",
    );
    expect(said(await ask("What is the total budget of Atlas and Zaphod?", bob))).toMatch(/nothing that answers this/);
  });

  it.each(declined)("%s — is declined, with what can be asked", async (question) => {
    const text = said(await ask(question, bob));
    expect(text).toMatch(/^I have no rule for “.+”.*Ask about a person.*a “budget” added up, compared and ranked/s);
    expect(namedIn(text).filter((name) => !question.includes(name))).toEqual([]);
  });
});
