/** Deep enough for real schemas; a schema that refers to itself ends here. */
const maxDepth = 12;

type Schema = Readonly<Record<string, unknown>>;

/** The smallest value that fits a JSON schema of the kind structured outputs take, with `text` wherever there is room for words. */
export function exampleOf(schema: unknown, text: string, root: unknown = schema, depth = 0): unknown {
  if (!isSchema(schema) || depth > maxDepth) return null;
  if (typeof schema.$ref === "string") return exampleOf(resolve(root, schema.$ref), text, root, depth + 1);
  if (schema.const !== undefined) return schema.const;
  if (Array.isArray(schema.enum)) return schema.enum[0];
  const choice = [schema.anyOf, schema.oneOf, schema.allOf].find(Array.isArray);
  if (choice !== undefined) return exampleOf(choice[0], text, root, depth + 1);
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  switch (type ?? (isSchema(schema.properties) ? "object" : "string")) {
    case "object":
      return objectOf(schema, text, root, depth);
    case "array":
      return Array.from({ length: Math.max(1, Number(schema.minItems ?? 1)) }, () =>
        exampleOf(schema.items ?? {}, text, root, depth + 1),
      );
    case "integer":
    case "number":
      return Number(schema.minimum ?? 0);
    case "boolean":
      return true;
    case "null":
      return null;
    default:
      return text;
  }
}

function objectOf(schema: Schema, text: string, root: unknown, depth: number): unknown {
  const properties = isSchema(schema.properties) ? Object.entries(schema.properties) : [];
  return Object.fromEntries(properties.map(([name, inner]) => [name, exampleOf(inner, text, root, depth + 1)]));
}

/** A reference inside the schema itself, as `#/$defs/name`. */
function resolve(root: unknown, reference: string): unknown {
  let at: unknown = root;
  for (const part of reference.replace(/^#\/?/, "").split("/")) {
    if (part === "") continue;
    at = isSchema(at) ? at[part] : undefined;
  }
  return at;
}

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What a reply says when an answer of this schema was asked for: itself when it is JSON already. */
export function fitted(text: string | undefined, schema: unknown): string | undefined {
  if (schema === undefined || text === undefined) return text;
  try {
    JSON.parse(text);
    return text;
  } catch {
    return JSON.stringify(exampleOf(schema, text));
  }
}
