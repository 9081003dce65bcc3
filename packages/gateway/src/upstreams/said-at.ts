/** Deeper than any protocol says something that a provider can refuse. */
const maxDepth = 12;

/**
 * The field in which a client said this, by the path that refusals name: `messages[0].content[1].source.data`. Data may
 * stand at the end of a URL of its own (RFC 2397). Looked for only when there is something to refuse.
 */
export function saidAt(body: unknown, data: string, path = "", depth = 0): string | undefined {
  if (typeof body === "string") return body === data || body.endsWith(`,${data}`) ? path : undefined;
  if (typeof body !== "object" || body === null || depth > maxDepth) return undefined;
  for (const [name, inner] of Object.entries(body)) {
    const here = Array.isArray(body) ? `${path}[${name}]` : path === "" ? name : `${path}.${name}`;
    const found = saidAt(inner, data, here, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}
