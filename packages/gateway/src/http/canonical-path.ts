import type { IncomingMessage } from "node:http";
import { GatewayError } from "../errors.ts";

/** Only in these places may a path hold percent-encoding: the model's name, which can be an ARN. */
const encodedSegment = /^\/(?:model|(?:v1\/)?models|inference-profiles)\/([^/]+)/;
const plain = /^\/(?:[A-Za-z0-9._~-]+(?:\/[A-Za-z0-9._~-]+)*)?$/;
/** What a model id is made of, decoded. */
const modelId = /^[A-Za-z0-9][A-Za-z0-9._:/~+@-]{0,255}$/;
const maxTargetLength = 8_192;

const maxAdmitted = 256;

/**
 * Refuses every request target that could mean two things: what one part reads as `/admin` another must not read as
 * something else. Nothing is normalised; only the one canonical spelling is served. What it answers throws GatewayError
 * `invalid_request`.
 * @param admitted most requests name one of a few addresses, and what was canonical once stays so
 */
export function createTargetCheck(admitted: Set<string> = new Set()): (target: string) => void {
  return (target) => {
    if (admitted.has(target)) return;
    examine(target);
    // A query may hold a secret that somebody put there by mistake: it is not kept.
    if (target.includes("?")) return;
    if (admitted.size >= maxAdmitted) admitted.clear();
    admitted.add(target);
  };
}

function examine(target: string): void {
  if (target.length > maxTargetLength) throw refuse(`is longer than ${maxTargetLength} characters`);
  const end = target.search(/[?#]/);
  if (target.includes("%00")) throw refuse("holds the character U+0000");
  if (target.includes("#")) throw refuse("holds a fragment");
  const path = end === -1 ? target : target.slice(0, end);
  if (!path.startsWith("/")) throw refuse("must begin with a slash");
  const [, segment] = encodedSegment.exec(path) ?? [];
  const rest = segment === undefined ? path : path.replace(segment, "m");
  if (!plain.test(rest) || rest.split("/").some((part) => part === "." || part === "..")) {
    throw refuse("is not in its canonical form: no empty or dot segments, no percent-encoding, no other signs");
  }
  if (segment !== undefined) requireModelId(segment);
}

/** The target as it came over the wire; what a framework made of it is already normalised. */
export function rawTarget(incoming: IncomingMessage): string {
  return incoming.url ?? "";
}

/** Can a path hold this as the name of a model, once it is encoded? */
export function isModelId(name: string): boolean {
  const hidden = name.split("/").some((part) => part === "" || part === "." || part === "..");
  return modelId.test(name) && !hidden;
}

function requireModelId(segment: string): void {
  const decoded = decode(segment);
  if (decoded === undefined || !isModelId(decoded)) throw refuse("does not name a model as model ids are written");
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined; // not percent-encoding
  }
}

function refuse(why: string): GatewayError {
  return new GatewayError("invalid_request", `The request's address ${why}.`);
}
