import { createHash } from "node:crypto";

/** Converse's, and every other provider's. */
const maxName = 64;
const digestCharacters = 8;

/**
 * The one name that a model knows a tool by: its own, or its namespace's and its own. The same always, so that calls
 * in a history are found again without the tool that was declared for them.
 */
export function modelName(name: string, namespace: string | undefined): string {
  if (namespace === undefined || namespace === "") return name;
  const joined = `${namespace}__${name}`;
  const plain = joined.replace(/[^A-Za-z0-9_-]/g, "_");
  if (plain === joined && plain.length <= maxName) return plain;
  // Cut or altered, two names could become one.
  const digest = createHash("sha256").update(joined).digest("hex").slice(0, digestCharacters);
  return `${plain.slice(0, maxName - digestCharacters - 1)}_${digest}`;
}
