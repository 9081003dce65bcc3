/** A class or property as the system prompt describes it, with the words people use for it. */
export interface KnownClass {
  /** As SPARQL writes it: prefixed, or an IRI in angle brackets. */
  readonly name: string;
  readonly words: readonly string[];
}

export interface KnownProperty {
  readonly name: string;
  /** What to walk along: the property itself, or the path it stands for. */
  readonly path: string;
  readonly pairs: readonly { readonly from: string; readonly to: string }[];
  /** Reads from the subject on: “works on”. The first one is the label. */
  readonly words: readonly string[];
  /** The same the other way round: “is the work of”. */
  readonly backwards: readonly string[];
}

export interface KnownSchema {
  /** PREFIX lines. */
  readonly prologue: string;
  readonly classes: readonly KnownClass[];
  readonly properties: readonly KnownProperty[];
}

const classLine = /^- (\S+) \(\d+\)(.*)$/;
const propertyLine = /^- (\S+?)(?: = (\S+))?: (.*)$/;
const pairForm = /(\S+) -> ([^\s,(]+)/g;

/** Reads the schema that stands in the system prompt, as a model would; undefined when there is none. */
export function readSchema(system: string): KnownSchema | undefined {
  const lines = system.split("\n");
  const prefixes = lines.filter((line) => /^PREFIX \S+: <[^>]*>$/.test(line));
  const properties = lines.flatMap(propertyOf);
  if (properties.length === 0) return undefined;
  return { prologue: prefixes.join("\n"), classes: lines.flatMap(classOf), properties };
}

function classOf(line: string): KnownClass[] {
  const [, name, rest] = classLine.exec(line) ?? [];
  if (name === undefined || rest === undefined) return [];
  return [{ name, words: quotedIn(rest.split(" -- ")[0] ?? "") }];
}

function propertyOf(line: string): KnownProperty[] {
  const [, name, path, rest] = propertyLine.exec(line) ?? [];
  if (name === undefined || rest === undefined) return [];
  const [forwards = "", backwards = ""] = rest.split("; backwards");
  const pairs = [...forwards.matchAll(pairForm)].map(([, from = "", to = ""]) => ({ from, to }));
  return pairs.length === 0
    ? []
    : [{ name, path: path ?? name, pairs, words: quotedIn(forwards), backwards: quotedIn(backwards) }];
}

function quotedIn(text: string): string[] {
  return [...text.matchAll(/"(?:[^"\\]|\\.)*"/g)].map(([literal]) => String(JSON.parse(literal)));
}
