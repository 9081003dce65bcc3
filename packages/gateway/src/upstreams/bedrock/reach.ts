import { isObject, type JsonObject, unsupported } from "../../dialects/body.ts";
import { hasEscapedLetters } from "../passed-body.ts";

/** What a client's own body may reach with the gateway's rights. */
export interface Reach {
  /** The deployment has a guardrail of the operator's. */
  readonly guarded: boolean;
  /** Buckets and folders that Bedrock may read with the gateway's rights, as `s3://bucket/folder/`. */
  readonly s3Prefixes: readonly string[];
}

const guardrailWhy = "this model has a guardrail of the operator's, which is not for a request to narrow.";
const s3Why = "it would be read with the gateway's rights, not yours. Send the bytes.";
const urlWhy = "the gateway fetches nothing on a caller's behalf. Send base64.";
const maxDepth = 256;

/**
 * Refuses what a body that passes through could reach with the gateway's own rights: objects in S3, addresses on the
 * web, and the parts of a guardrail that decide what it looks at.
 * @throws GatewayError `unsupported` naming the field
 */
export function refuseReach(body: unknown, reach: Reach): void {
  walk(body, "", reach, 0);
}

/** What decides it stands under one of these names, or is a `source` that says `url`. */
const deciding = ["uri", "s3Uri", "guardContent", "amazon-bedrock-guardrailConfig"].map((name) => `"${name}"`);

/**
 * Whether bytes hold none of the names that decide it. Where they do, what was looked at must be what is sent: of two
 * fields of one name some read the first, and here the last was read.
 */
export function reachesNothing({ buffer, byteOffset, byteLength }: Uint8Array): boolean {
  const bytes = Buffer.from(buffer, byteOffset, byteLength);
  const fetches = bytes.includes('"url"') && bytes.includes('"source"');
  return !fetches && !hasEscapedLetters(bytes) && !deciding.some((name) => bytes.includes(name));
}

function walk(value: unknown, path: string, reach: Reach, depth: number): void {
  if (depth > maxDepth) throw unsupported(path.slice(0, 100), "the request is nested too deeply.");
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) walk(value[index], `${path}[${index}]`, reach, depth + 1);
    return;
  }
  if (!isObject(value)) return;
  for (const [name, inner] of Object.entries(value)) {
    const at = path === "" ? name : `${path}.${name}`;
    if (reach.guarded && (name === "guardContent" || name === "amazon-bedrock-guardrailConfig"))
      throw unsupported(at, guardrailWhy);
    if (typeof inner === "string") {
      if (/^s3:\/\//i.test(inner) && (name === "uri" || name === "s3Uri") && !allowed(inner, reach))
        throw unsupported(at, s3Why);
    } else if (name === "source" && isObject(inner) && inner.type === "url") throw unsupported(at, urlWhy);
    // A tool's schema and input are the caller's own words: no place that anything is read from.
    else if (!(name === "input" && isToolUse(value)) && name !== "inputSchema" && name !== "input_schema")
      walk(inner, at, reach, depth + 1);
  }
}

function isToolUse(block: JsonObject): boolean {
  return "toolUseId" in block || block.type === "tool_use";
}

function allowed(uri: string, { s3Prefixes }: Reach): boolean {
  return s3Prefixes.some((prefix) => uri.startsWith(prefix)) && !uri.includes("/../");
}
