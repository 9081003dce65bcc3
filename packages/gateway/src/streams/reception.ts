import { GatewayError } from "../errors.ts";
import { gatherOnPages, type Pages } from "../http/pages.ts";

/** Larger than any model's longest answer, or a batch of embeddings; smaller than what would hurt. */
const maxAnswerBytes = 64 * 1024 * 1024;
const maxErrorBytes = 64 * 1024;

/** Nearly every answer is there in fewer. */
const fewChunks = 16;

/** Gathers a body that is answered whole. Of an error only the beginning is kept. */
export function bodyCollector(isError: boolean) {
  const chunks: Buffer[] = [];
  let pages: Pages | undefined;
  let bytes = 0;
  return {
    /** @returns false when the answer is too large to go on */
    add(chunk: Buffer): boolean {
      if (isError && bytes >= maxErrorBytes) return true;
      bytes += chunk.length;
      if (chunks.length < fewChunks) chunks.push(chunk);
      else {
        pages ??= gatherOnPages(chunks);
        pages.add(chunk);
      }
      return bytes <= maxAnswerBytes;
    },
    bytes(): Buffer {
      pages?.close();
      return withoutMark(chunks.length === 1 ? (chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(chunks));
    },
  };
}

/** Some servers put a byte order mark before their JSON, which readers may pass over (RFC 8259 section 8.1). */
function withoutMark(bytes: Buffer): Buffer {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
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
  const code = codeOf(cause);
  if (code === "UND_ERR_CONNECT_TIMEOUT") {
    return new GatewayError("upstream_timeout", "The model provider could not be reached in time. Try again.", {
      cause,
    });
  }
  if (untrusted.test(code)) {
    return new GatewayError("upstream_denied", "The gateway does not trust this model's provider. Tell its operator.", {
      cause: `${code}: the certificate of the provider is refused; NODE_EXTRA_CA_CERTS names further authorities`,
    });
  }
  if (wrongHttp.has(code)) {
    return new GatewayError("upstream_failed", "The model provider's answer is not HTTP. Try again.", { cause });
  }
  return unavailable(cause);
}

/** The code of the system, OpenSSL or undici; undici's parser has none worth the name. */
function codeOf(cause: unknown): string {
  if (typeof cause !== "object" || cause === null) return "";
  if ("name" in cause && cause.name === "HTTPParserError") return "HTTPParserError";
  return "code" in cause ? String(cause.code) : "";
}

const wrongHttp: ReadonlySet<string> = new Set([
  "HTTPParserError",
  "UND_ERR_HEADERS_OVERFLOW",
  "UND_ERR_RES_CONTENT_LENGTH_MISMATCH",
]);

/** OpenSSL's verdicts on a certificate, and Node's on its name: no second attempt changes them. */
const untrusted = /CERT|^UNABLE_TO_(?:GET|VERIFY)|^ERR_TLS/;

function unavailable(cause: unknown): GatewayError {
  return new GatewayError("upstream_unavailable", "The connection to the model provider failed. Try again.", { cause });
}
