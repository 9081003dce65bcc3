import type { Store } from "oxigraph";

/**
 * What follows from a set of graphs by RDFS and the parts of OWL that schemas of this kind use (OWL 2 RL, section 4.3:
 * scm-sco, cax-sco, prp-spo1, prp-spo2, prp-inv, prp-symp, prp-trp, prp-dom, prp-rng), written into a graph of its own.
 */
const rules: readonly string[] = [
  "?x a ?super } WHERE { ?class rdfs:subClassOf+ ?super . ?x a ?class . FILTER(isIRI(?super))",
  "?x ?super ?y } WHERE { ?property rdfs:subPropertyOf+ ?super . ?x ?property ?y",
  "?y ?inverse ?x } WHERE { ?inverse owl:inverseOf|^owl:inverseOf ?property . ?x ?property ?y . FILTER(!isLiteral(?y))",
  "?y ?property ?x } WHERE { ?property a owl:SymmetricProperty . ?x ?property ?y . FILTER(!isLiteral(?y))",
  "?x ?property ?z } WHERE { ?property a owl:TransitiveProperty . ?x ?property ?y . ?y ?property ?z",
  "?x ?property ?z } WHERE { ?property owl:propertyChainAxiom ?list . ?list rdf:first ?first ; rdf:rest ?rest . ?rest rdf:first ?second ; rdf:rest rdf:nil . ?x ?first ?y . ?y ?second ?z",
  "?x a ?class } WHERE { ?property rdfs:domain ?class . ?x ?property ?y . FILTER(isIRI(?class))",
  "?y a ?class } WHERE { ?property rdfs:range ?class . ?x ?property ?y . FILTER(isIRI(?class) && !isLiteral(?y))",
];
const prologue = `PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX owl: <http://www.w3.org/2002/07/owl#>
`;

/** Chains of conclusions this long do not occur in schemas made by people. */
const maxRounds = 12;
const maxTriples = 500_000;

/** @throws Error when more follows than fits */
export function infer(store: Store, graphs: readonly string[], into: string): void {
  const using = [...graphs, into].map((iri) => `USING <${iri}>`).join(" ");
  const before = store.size;
  for (let round = 0; round < maxRounds; round += 1) {
    const size = store.size;
    for (const rule of rules) {
      store.update(`${prologue}INSERT { GRAPH <${into}> { ${rule.replace(" } WHERE {", ` } } ${using} WHERE {`)} }`);
    }
    if (store.size - before > maxTriples) {
      forget(store, into);
      throw new Error("reasoning over this database yields too much");
    }
    if (store.size === size) return;
  }
}

/** Takes a graph of conclusions away again. */
export function forget(store: Store, graph: string): void {
  store.update(`DROP SILENT GRAPH <${graph}>`);
}
