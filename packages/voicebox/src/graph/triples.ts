import { GraphError, type Term } from "./graph.ts";

/**
 * N-Triples, as endpoints answer CONSTRUCT and DESCRIBE. The parser is loaded when first needed: most services never do.
 * @throws GraphError `unavailable` when the text is something else
 */
export async function readTriples(text: string): Promise<readonly (readonly [Term, Term, Term])[]> {
  const { parse } = await import("oxigraph");
  try {
    return parse(text, { format: "application/n-triples" }).map(
      ({ subject, predicate, object }) => [termOf(subject), termOf(predicate), termOf(object)] as const,
    );
  } catch (error) {
    throw new GraphError("unavailable", "The database gave an answer that is not N-Triples.", error);
  }
}

interface RdfTerm {
  readonly termType: string;
  readonly value: string;
  readonly language?: string;
  readonly datatype?: { readonly value: string };
}

/** An RDF/JS term as a result's term. */
export function termOf(term: RdfTerm): Term {
  if (term.termType === "NamedNode") return { type: "uri", value: term.value };
  if (term.termType === "BlankNode") return { type: "bnode", value: term.value };
  const language = term.language === undefined || term.language === "" ? {} : { language: term.language };
  return { type: "literal", value: term.value, datatype: term.datatype?.value, ...language };
}
