import { type JsonObject, unsupported, wrongType } from "../body.ts";

/** How each kind of a union is read. The whole object is handed on: its member stands below `path` by its name. */
export type Readers<Made> = Readonly<Record<string, (from: JsonObject, path: string) => Made>>;

const maxShown = 64;

/**
 * AWS's unions are objects of one member, whose name says what they are.
 * @throws GatewayError `unsupported` naming a member that nobody here reads
 */
export function memberOf<Made>(from: JsonObject, path: string, readers: Readers<Made>): Made {
  const named = Object.keys(from).filter((name) => from[name] != null);
  const [name] = named;
  if (name === undefined || named.length > 1) throw wrongType(path, "an object with one member");
  const read = Object.hasOwn(readers, name) ? readers[name] : undefined;
  if (read !== undefined) return read(from, path);
  const known = Object.keys(readers).join(", ");
  throw unsupported(`${path}.${name.slice(0, maxShown)}`, `this model is not served by Bedrock. Use ${known}.`);
}
