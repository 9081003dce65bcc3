import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Chain, startChain } from "../chain.ts";
import type { Person } from "../person.ts";
import { everyName, labelled, rowsOf, values } from "./demo-graph.ts";

interface Answer {
  readonly result: string;
  readonly conversation_id: string;
  readonly actions: readonly { readonly type: string; readonly value: unknown }[];
}

interface Sources {
  readonly graphs: readonly { readonly name: string; readonly iri: string }[];
}

/** Each question with what the graph says, asked in the test's own words; and the names that the question itself has. */
const questions: readonly (readonly [question: string, expected: readonly string[], given: readonly string[]])[] = [
  ["Who works with Bob?", labelled(":bob o:worksOn ?p . ?x o:worksOn ?p . FILTER(?x != :bob)"), ["Bob Baker"]],
  ["Which systems does the Atlas project use?", labelled(":atlas o:uses ?x"), ["Atlas"]],
  ["who leads beacon?", labelled("?x o:leads :beacon"), ["Beacon"]],
  ["Which projects is Dana working on?", labelled(":dana o:worksOn ?x"), ["Dana Duarte"]],
  ["Who is Bob's manager?", labelled(":bob o:reportsTo ?x"), ["Bob Baker"]],
  ["Who does Alice manage?", labelled("?x o:reportsTo :alice"), ["Alice Archer"]],
  ["Who reports to Carol?", labelled("?x o:reportsTo :carol"), ["Carol Chen"]],
  ["Where is Fatima based?", labelled(":fatima o:basedIn ?x"), ["Fatima Farouk"]],
  ["Who works in the Tallinn office?", labelled("?x o:basedIn :tallinn"), ["Tallinn"]],
  ["When did Atlas start?", values(":atlas o:startedOn ?d . BIND(STR(?d) AS ?n)"), ["Atlas"]],
  ["When did Erik join?", values(":erik o:joinedOn ?d . BIND(STR(?d) AS ?n)"), ["Erik Eklund"]],
  ["When was Ledger first released?", values(":ledger o:releasedOn ?d . BIND(STR(?d) AS ?n)"), ["Ledger"]],
  ["Which systems are written in Rust?", labelled("?x o:writtenIn :rust"), ["Rust"]],
  ["What is Wayfinder built with?", labelled(":wayfinder o:writtenIn ?x"), ["Wayfinder"]],
  ["Which team owns Quarry?", labelled(":quarry o:ownedBy ?x"), ["Quarry"]],
  ["Which systems depend on Keyring?", labelled("?x o:dependsOn :keyring"), ["Keyring"]],
  ["Who looks after Tilework?", labelled(":tilework o:maintainedBy ?x"), ["Tilework"]],
  ["Who knows SPARQL?", labelled("?x o:knows :sparql"), ["SPARQL"]],
  ["What's the job title of Grace Kimani?", values(":grace-kimani o:jobTitle ?n"), ["Grace Kimani"]],
  [
    "Which project has the largest budget?",
    labelled("{ SELECT ?x { ?x o:budgetEuro ?b } ORDER BY DESC(?b) LIMIT 1 }"),
    [],
  ],
  [
    "How many people work on Lantern?",
    values("{ SELECT (STR(COUNT(?x)) AS ?n) { ?x o:worksOn :lantern } }"),
    ["Lantern"],
  ],
  [
    "Which projects do both Alice and Bob work on?",
    labelled(":alice o:worksOn ?x . :bob o:worksOn ?x"),
    ["Alice Archer"],
  ],
  ["Which projects started after 2024?", labelled('?x o:startedOn ?d . FILTER(?d >= "2025-01-01"^^xsd:date)'), []],
  ["Is Bob a member of the Data team?", ["Yes", ...labelled("BIND(:data AS ?x) :bob o:memberOf :data")], ["Bob Baker"]],
  ["In which country is Bergen?", values(":bergen o:country ?n"), ["Bergen"]],
  ["Who is based in Portugal?", labelled("?x o:basedIn/o:country 'Portugal'"), ["Lisbon", "Portugal"]],
  ["Which projects are running?", labelled("?x o:status 'running'"), []],
  ["Where is Carol?", labelled(":carol o:basedIn ?x"), ["Carol Chen"]],
  ["list all employees in Tallinn", labelled("?x o:basedIn :tallinn"), ["Tallinn"]],
  ["Who is the manager of Bob?", labelled(":bob o:reportsTo ?x"), ["Bob Baker"]],
  [
    "Who works on the same project as Erik?",
    labelled(":erik o:worksOn ?p . ?x o:worksOn ?p . FILTER(?x != :erik)"),
    ["Erik Eklund"],
  ],
  ["List all teams", labelled("?x a o:Team"), []],
  ["Who is Inês?", labelled(":ines o:worksOn|o:knows|o:basedIn|o:memberOf|o:reportsTo ?x"), ["Inês Ibarra", "Ledger"]],
  ["When did Inês join?", values(":ines o:joinedOn ?d . BIND(STR(?d) AS ?n)"), ["Inês Ibarra"]],
  ["What teams exist?", labelled("?x a o:Team"), []],
  ["Who works in the Data team?", labelled("?x o:memberOf :data"), ["Data"]],
  [
    "How many people work in the Data team?",
    values("{ SELECT (STR(COUNT(?x)) AS ?n) { ?x o:memberOf :data } }"),
    ["Data"],
  ],
  ["Who knows Rust but not Python?", labelled("?x o:knows :rust . MINUS { ?x o:knows :python }"), ["Rust", "Python"]],
  ["Who does not know Python?", labelled("?x a o:Person . MINUS { ?x o:knows :python }"), ["Python"]],
  ["Who isn't based in Lisbon?", labelled("?x a o:Person . MINUS { ?x o:basedIn :lisbon }"), ["Lisbon"]],
  ["Which projects do not use Ledger?", labelled("?x a o:Project . MINUS { ?x o:uses :ledger }"), ["Ledger"]],
  ["Which projects are not running?", labelled("?x a o:Project . MINUS { ?x o:status 'running' }"), []],
  ["Which projects does Bob not work on?", labelled("?x a o:Project . MINUS { :bob o:worksOn ?x }"), []],
  ["Who has no manager?", labelled("?x a o:Person . MINUS { ?x o:reportsTo ?y }"), []],
  ["Which people are not in a team?", labelled("?x a o:Person . MINUS { ?x o:memberOf ?y }"), []],
  ["Who knows Rust or Go?", labelled("?x o:knows ?t . FILTER(?t IN (:rust, :go))"), ["Rust", "Go"]],
  [
    "Who knows Rust, Go or Python?",
    labelled("?x o:knows ?t . FILTER(?t IN (:rust, :go, :python))"),
    ["Rust", "Go", "Python"],
  ],
  ["Who knows Rust and Python?", labelled("?x o:knows :rust, :python"), ["Rust", "Python"]],
  ["Who works for Dana?", labelled("?x o:reportsTo :dana"), ["Dana Duarte"]],
  ["Does Carol manage Dana?", ["Yes", ...labelled("BIND(:carol AS ?x) :dana o:reportsTo :carol")], ["Dana Duarte"]],
  ["Which systems need Tilework?", labelled("?x o:dependsOn :tilework"), ["Tilework"]],
  [
    "How many people know Rust or Go?",
    values("{ SELECT (STR(COUNT(DISTINCT ?x)) AS ?n) { ?x o:knows ?t . FILTER(?t IN (:rust, :go)) } }"),
    ["Rust", "Go"],
  ],
];

/** Questions for which there is no rule: that is said, and no thing of the graph is named as if it were the answer. */
const declined: readonly (readonly [question: string, given: readonly string[]])[] = [
  ["Which projects cost more than Atlas?", []],
  ["Who joined before Bob?", []],
  ["Who works on Atlas except Bob?", []],
  ["Who only knows Python?", []],
  ["Does everyone know Rust?", []],
  ["Who runs Ledger?", []],
  ["Who started Atlas?", []],
  ["Which is the largest project?", []],
  ["Is Atlas running?", []],
  ["How old is Bob?", []],
  ["Who leads the project that uses Sift?", []],
  ["Who is responsible for Ledger?", ["Ledger"]],
  ["Who does not know Cobol?", []],
  ["Which people joined the Data team?", []],
  ["How many people work in Data?", ["Data"]],
  ["Does Bob work in Data?", ["Data"]],
];

describe("questions over the demo graph, through the whole chain", () => {
  let chain: Chain;
  let alice: Person;
  /** The tables are long, and each user has only so many questions a minute. */
  let bob: Person;
  let carol: Person;
  beforeAll(async () => {
    chain = await startChain();
    [alice, bob, carol] = [chain.person(), chain.person(), chain.person()];
    await Promise.all([alice.signIn("alice"), bob.signIn("bob"), carol.signIn("carol")]);
  });
  afterAll(() => chain.close());

  const ask = async (query: string, more: Record<string, unknown> = {}, who = alice): Promise<Answer> => {
    const response = await who.post("/api/v1/voicebox/ask", { query, ...more });
    expect(response.status).toBe(200);
    return (await response.json()) as Answer;
  };
  const action = (answer: Answer, type: string): unknown => answer.actions.find((each) => each.type === type)?.value;
  /** The sandbox says after every answer who has spoken. */
  const said = ({ result }: Answer): string => result.split("\n\n_(")[0] ?? "";

  it.each(questions)("%s", async (question, expected, given) => {
    expect(expected.length).toBeGreaterThan(0);
    const answer = await ask(question);
    for (const name of expected) expect(said(answer)).toContain(name);
    const others = everyName.filter((name) => ![...expected, ...given].some((known) => known.includes(name)));
    expect(others.filter((name) => new RegExp(`\\b${name}\\b`, "u").test(said(answer)))).toEqual([]);
  });

  it.each(questions)("%s — the query that came along proves it", async (question, expected) => {
    const answer = await ask(question, {}, bob);
    const sparql = String(action(answer, "sparql"));
    const proven = rowsOf(sparql).flatMap((row) => [...row.values()].map(({ value }) => value));
    for (const name of expected.filter((name) => name !== "Yes")) expect(proven).toContain(name);
    const csv = String(action(answer, "csv"));
    expect(csv.split("\r\n").length - 2).toBe(rowsOf(sparql).length);
    expect(action(answer, "rewritten_query")).toBe(question);
  });

  it.each(declined)("%s — is declined", async (question, given) => {
    const text = said(await ask(question, {}, carol));
    expect(text).toMatch(/I have no rule for|I find nothing|nothing that answers|cannot tell/);
    const named = everyName.filter((name) => !given.includes(name) && !question.includes(name.split(" ")[0] ?? name));
    expect(named.filter((name) => new RegExp(`\\b${name}\\b`, "u").test(text))).toEqual([]);
  });

  it("Who is Bob? The answer has what the graph says of him, and where it says so", async () => {
    const answer = await ask("Who is Bob?");
    const facts = values(
      ":bob ?p ?v . OPTIONAL { ?v rdfs:label ?l } FILTER(?p != <http://www.w3.org/1999/02/22-rdf-syntax-ns#type>) BIND(COALESCE(?l, STR(?v)) AS ?n)",
    );
    expect(facts.length).toBeGreaterThan(8);
    for (const fact of facts) expect(said(answer)).toContain(fact.replace(/\.$/, ""));
    const value = action(answer, "provenance");
    const { graphs } = (typeof value === "string" ? JSON.parse(value) : value) as Sources;
    expect(graphs.map(({ name }) => name)).toContain("People");
    expect(graphs.find(({ name }) => name === "People")).toMatchObject({
      iri: "https://onbehalf.example/graph/people",
      graph_type: "RecordGraph",
      description: expect.stringContaining("personnel"),
    });
  });

  it("says who the user is, and takes “my” for that user", async () => {
    expect(said(await ask("Who am I?"))).toContain("Alice Archer");
    expect(said(await ask("Who is my manager?"))).toContain("Carol Chen");
  });

  it("names both when a name is not clear", async () => {
    const text = said(await ask("Who is Grace?"));
    expect(text).toContain("Grace Kimani");
    expect(text).toContain("Grace Olsen");
  });

  it("says so when the graph knows nothing", async () => {
    expect(said(await ask("Who is Zaphod Beeblebrox?"))).toMatch(/nothing/i);
    expect(said(await ask("Does Fatima work on Beacon?"))).toMatch(/^No\b/);
  });

  it("has a word for those who only say hello, and for those who want something changed", async () => {
    expect((await ask("Hi, how are you?")).result).toMatch(/stand-in.*Ask about a person/s);
    expect((await ask("Delete Bob")).result).toMatch(/nothing can be changed/);
    expect(said(await ask("What is Bob's salary?"))).toMatch(/no word for “salary”/);
  });

  it("remembers whom the conversation was about", async () => {
    const first = await ask("Who is Henrik?");
    const second = await ask("Which projects does he lead?", { conversation_id: first.conversation_id });
    expect(second.conversation_id).toBe(first.conversation_id);
    expect(said(second)).toContain("Henrik Haugen leads Lantern");
    expect(action(second, "rewritten_query")).toContain("Henrik");
  });

  it("keeps another user out of a conversation, even by its id", async () => {
    const { conversation_id } = await ask("Who is Henrik?");
    const response = await bob.post("/api/v1/voicebox/ask", { query: "Which projects does he lead?", conversation_id });
    expect(JSON.stringify(await response.json())).not.toContain("Henrik");
  });

  it("gives only the query to one who wants only the query", async () => {
    const response = await alice.post("/api/v1/voicebox/generate-query", { query: "Who leads Atlas?" });
    const answer = (await response.json()) as Answer;
    expect(rowsOf(answer.result).map((row) => row.get("subjectName")?.value)).toEqual(["Alice Archer"]);
    expect(action(answer, "csv")).toBeUndefined();
  });
});
