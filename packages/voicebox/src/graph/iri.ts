/** Characters that SPARQL allows between the angle brackets (grammar, IRIREF). */
export function isWritable(iri: string): boolean {
  return /^[^\s\p{Cc}<>"{}|^`\\]+$/u.test(iri);
}
