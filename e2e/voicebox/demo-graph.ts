import { readFileSync } from "node:fs";
import { namedNode, Store, type Term } from "oxigraph";
import { graphFiles } from "./service.ts";

/** The graph as the tests read it themselves. */
const graph = new Store();
for (const { path, graph: iri } of graphFiles) {
  graph.load(readFileSync(path, "utf8"), { format: "text/turtle", to_graph_name: namedNode(iri) });
}
const prologue = `PREFIX : <https://onbehalf.example/id/> PREFIX o: <https://onbehalf.example/schema#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#> PREFIX xsd: <http://www.w3.org/2001/XMLSchema#> `;

/** What a query finds in every graph together. */
export function rowsOf(sparql: string): Map<string, Term>[] {
  return graph.query(sparql, { use_default_graph_as_union: true }) as Map<string, Term>[];
}
/** The values of `?n` where a pattern holds. */
export function values(pattern: string): string[] {
  return rowsOf(`${prologue} SELECT DISTINCT ?n WHERE { ${pattern} }`).map((row) => row.get("n")?.value ?? "");
}
/** The names of `?x` where a pattern holds. */
export const labelled = (pattern: string): string[] => values(`${pattern} . ?x rdfs:label ?n`);
/** All things that an answer could name. */
export const everyName = labelled(
  "?x a ?kind . FILTER(?kind IN (o:Person, o:Project, o:System, o:Team, o:Place, o:Technology))",
);
