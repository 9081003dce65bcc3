import { GatewayError } from "../errors.ts";

/** Larger than any model's longest answer, or a batch of embeddings; smaller than what would hurt. */
const maxAnswerBytes = 64 * 1024 * 1024;
const maxErrorBytes = 64 * 1024;

/** Gathers a body that is answered whole. Of an error only the beginning is kept. */
export function bodyCollector(isError: boolean) {
  const chunks: Buffer[] = [];
  let bytes = 0;
  return {
    /** @returns false when the answer is too large to go on */
    add(chunk: Buffer): boolean {
      if (isError && bytes >= maxErrorBytes) return true;
      bytes += chunk.length;
      chunks.push(chunk);
      return bytes <= maxAnswerBytes;
    },
    bytes: (): Buffer => (chunks.length === 1 ? (chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(chunks)),
  };
}

/** The gateway asks for no encoding; unpacking one that comes anyway would let an upstream fill its memory. */
export function encodingProblem(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): GatewayError | undefined {
  const encoding = headers["content-encoding"];
  if (encoding === undefined || encoding === "" || encoding === "identity") return undefined;
  return new GatewayError(
    "upstream_failed",
    "The model provider's answer came in an encoding that was not asked for.",
    {
      cause: `content-encoding: ${String(encoding).slice(0, 100)}`,
    },
  );
}

/** A connection that could not be made, or broke. */
export function connectionError(cause: unknown): GatewayError {
  if (cause instanceof GatewayError) return cause;
  const code = typeof cause === "object" && cause !== null && "code" in cause ? cause.code : undefined;
  if (code === "UND_ERR_CONNECT_TIMEOUT") {
    return new GatewayError("upstream_timeout", "The model provider could not be reached in time. Try again.", {
      cause,
    });
  }
  if (typeof code === "string" && code.startsWith("HPE_")) {
    return new GatewayError("upstream_failed", "The model provider's answer is not HTTP. Try again.", { cause });
  }
  return new GatewayError("upstream_unavailable", "The connection to the model provider failed. Try again.", { cause });
}
