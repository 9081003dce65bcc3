import { isWritable } from "./iri.ts";
import type { Schema, SchemaProperty, Step } from "./schema.ts";

const maxLength = 12_000;
const maxNames = 8;
const maxPairs = 3;

const wellKnown: Readonly<Record<string, string>> = {
  "http://www.w3.org/2001/XMLSchema#": "xsd",
  "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf",
  "http://www.w3.org/2000/01/rdf-schema#": "rdfs",
  "http://www.w3.org/2002/07/owl#": "owl",
  "http://www.w3.org/2004/02/skos/core#": "skos",
  "http://xmlns.com/foaf/0.1/": "foaf",
  "https://schema.org/": "sdo",
  "http://schema.org/": "sdoh",
  "http://purl.org/dc/terms/": "dct",
};

/**
 * The schema as the model reads it. Every word that comes from the database stands in quotes on one line, so that it
 * cannot be taken for a line of ours.
 */
export function schemaText(schema: Schema): string {
  const short = shortener(schema);
  const classes = schema.classes.map(
    ({ iri, instances }) => `- ${short.name(iri)} (${instances})${named(schema, iri)}${commented(schema, iri)}`,
  );
  const properties = schema.properties.map((property) => propertyLine(schema, property, short.name));
  const lines = [
    ...short.prefixes.map(([prefix, namespace]) => `PREFIX ${prefix}: <${namespace}>`),
    "Classes (instances):",
    ...classes,
    "Properties (from -> to, uses):",
    ...properties,
  ];
  return bounded(lines);
}

function bounded(lines: readonly string[]): string {
  let length = 0;
  const kept = lines.filter((line) => {
    length += line.length + 1;
    return length <= maxLength;
  });
  return kept.length === lines.length ? kept.join("\n") : `${kept.join("\n")}\n(more was left out)`;
}

function propertyLine(schema: Schema, property: SchemaProperty, short: (iri: string) => string): string {
  const { iri, pairs, chain, inverse } = property;
  const step = ({ iri: name, backwards }: Step): string => `${backwards ? "^" : ""}${short(name)}`;
  const path = chain === undefined ? "" : ` = ${chain.map(step).join("/")}`;
  const ends = pairs.slice(0, maxPairs).map(({ from, to, uses }) => {
    return `${short(from)} -> ${short(to)}${uses === 0 ? "" : ` (${uses})`}`;
  });
  const backwards = inverse === undefined ? "" : `; backwards${named(schema, inverse) || ` ${short(inverse)}`}`;
  return `- ${short(iri)}${path}: ${ends.join(", ")}${named(schema, iri)}${backwards}`;
}

function named(schema: Schema, iri: string): string {
  const names = schema.names.get(iri);
  if (names === undefined) return "";
  const all = [...(names.label === undefined ? [] : [names.label]), ...names.others].slice(0, maxNames);
  return all.length === 0 ? "" : ` ${all.map(quoted).join(", ")}`;
}

function commented(schema: Schema, iri: string): string {
  const comment = schema.names.get(iri)?.comment;
  return comment === undefined ? "" : ` -- ${quoted(comment)}`;
}

/** As a JSON string: quotes and line ends inside it cannot end it. */
export function quoted(text: string): string {
  return JSON.stringify(text.replaceAll(/\p{Cc}+/gu, " "));
}

function shortener(schema: Schema): {
  readonly prefixes: readonly (readonly [string, string])[];
  readonly name: (iri: string) => string;
} {
  const prefixes = new Map<string, string>();
  const name = (iri: string): string => {
    const [, namespace, local] = /^(.*[#/])([A-Za-z_][\w-]*)$/.exec(iri) ?? [];
    if (namespace === undefined || local === undefined || !isWritable(namespace)) {
      return isWritable(iri) ? `<${iri}>` : quoted(iri);
    }
    let prefix = prefixes.get(namespace);
    if (prefix === undefined) {
      prefix = freePrefix(namespace, new Set(prefixes.values()));
      prefixes.set(namespace, prefix);
    }
    return `${prefix}:${local}`;
  };
  for (const { iri } of schema.classes) name(iri);
  for (const { iri, pairs } of schema.properties) for (const each of [iri, ...pairs.map(({ to }) => to)]) name(each);
  return { prefixes: [...prefixes].map(([namespace, prefix]) => [prefix, namespace] as const), name };
}

function freePrefix(namespace: string, taken: ReadonlySet<string>): string {
  const known = wellKnown[namespace];
  if (known !== undefined) return known;
  const word = /([A-Za-z][A-Za-z0-9]*)[#/]$/.exec(namespace)?.[1]?.toLowerCase() ?? "ns";
  let prefix = word;
  for (let n = 2; taken.has(prefix) || Object.values(wellKnown).includes(prefix); n += 1) prefix = `${word}${n}`;
  return prefix;
}
