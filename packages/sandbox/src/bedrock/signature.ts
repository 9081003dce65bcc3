import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { SignatureV4 } from "@smithy/signature-v4";

/** A caller that AWS would know. Temporary ones carry a session token and the tags given to AssumeRole. */
export interface Principal {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly arn: string;
  readonly tags?: Readonly<Record<string, string>>;
}

/** Who has signed a request, and for which region; undefined where it is not said, by an API key. */
export interface Signer {
  readonly principal: Principal;
  readonly region: string | undefined;
}

/** Why AWS refuses a request before looking at it; always 403. */
export class Refused extends Error {
  readonly type: string;
  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

interface SignedRequest {
  readonly method: string;
  /** The path exactly as sent, percent-encoding and all. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface VerifierOptions {
  readonly service: string;
  readonly principal: (accessKeyId: string) => Principal | undefined;
  /** A Bedrock API key accepted as `Authorization: Bearer`. */
  readonly bearerKey?: string;
  readonly now?: () => number;
}

const allowedSkewMs = 300_000;
const authorizationForm =
  /^AWS4-HMAC-SHA256 Credential=([^/,\s]+)\/(\d{8})\/([^/,\s]+)\/([^/,\s]+)\/aws4_request,\s*SignedHeaders=([a-z0-9;:_-]+),\s*Signature=([0-9a-f]{64})$/;

/**
 * Checks a request as AWS does: Signature Version 4 over what was really received, or a Bedrock API key. One address stands
 * in for the endpoints of all regions, so that a request may be signed for any of them.
 * @throws Refused with AWS's own error type and wording
 */
export function createSignatureVerifier(options: VerifierOptions): (request: SignedRequest) => Promise<Signer> {
  const now = options.now ?? Date.now;
  return async (request) => {
    const authorization = request.headers.authorization;
    if (authorization === undefined)
      throw new Refused("MissingAuthenticationTokenException", "Missing Authentication Token");
    if (/^bearer /i.test(authorization)) {
      return { principal: byApiKey(authorization.slice(7), options.bearerKey), region: undefined };
    }
    const match = authorizationForm.exec(authorization);
    if (match === null)
      throw new Refused("IncompleteSignatureException", "Authorization header is not a Signature Version 4 header.");
    const [, keyId = "", day = "", region = "", service = "", signedHeaders = "", signature = ""] = match;
    const names = signedHeaders.split(";");
    checkSigned(names, request.headers);
    const principal = options.principal(keyId);
    const token = request.headers["x-amz-security-token"];
    if (principal === undefined || (principal.sessionToken ?? undefined) !== token) {
      throw new Refused("UnrecognizedClientException", "The security token included in the request is invalid.");
    }
    checkScope(service, region, options.service);
    const signedAt = checkDate(request.headers["x-amz-date"], day, now());
    checkBodyHash(request);
    const expected = await sign(request, { principal, region, service, signedAt, names });
    if (!timingSafeEqual(Buffer.from(expected), Buffer.from(signature))) {
      throw new Refused(
        "InvalidSignatureException",
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
      );
    }
    return { principal, region };
  };
}

function byApiKey(given: string, expected: string | undefined): Principal {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  if (expected === undefined || !timingSafeEqual(digest(given), digest(expected))) {
    throw new Refused("AccessDeniedException", "Authentication failed: Please make sure your API Key is valid.");
  }
  return { accessKeyId: "", secretAccessKey: "", arn: "arn:aws:iam::000000000000:user/BedrockAPIKey" };
}

/** What a signature has to cover: whom it is for, and every header that is AWS's own. */
function checkSigned(names: readonly string[], headers: SignedRequest["headers"]): void {
  if (!names.includes("host") && !names.includes(":authority")) {
    throw new Refused(
      "InvalidSignatureException",
      "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
    );
  }
  const left = Object.keys(headers).find((name) => name.startsWith("x-amz-") && !names.includes(name));
  if (left !== undefined)
    throw new Refused("InvalidSignatureException", `'${left}' must be a 'SignedHeader' in the AWS Authorization.`);
}

/** As AWS names its regions, those of governments and other partitions, too. */
const regionForm = /^[a-z]{2,4}(?:-[a-z]{1,10}){1,3}-\d{1,2}$/;

function checkScope(service: string, region: string, expected: string): void {
  if (service !== expected) {
    throw new Refused("InvalidSignatureException", `Credential should be scoped to correct service: '${expected}'.`);
  }
  if (!regionForm.test(region)) {
    throw new Refused("InvalidSignatureException", `Credential should be scoped to a valid region, not '${region}'.`);
  }
}

function checkDate(header: string | string[] | undefined, day: string, now: number): Date {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(typeof header === "string" ? header : "");
  if (parts === null)
    throw new Refused("IncompleteSignatureException", "Authorization header requires existence of 'X-Amz-Date'.");
  const [, year, month, date, hour, minute, second] = parts.map(Number);
  const at = new Date(Date.UTC(year ?? 0, (month ?? 1) - 1, date, hour, minute, second));
  if (`${header}`.slice(0, 8) !== day) {
    throw new Refused("InvalidSignatureException", "Date in Credential scope does not match YYYYMMDD from X-Amz-Date.");
  }
  if (Math.abs(now - at.getTime()) > allowedSkewMs) {
    throw new Refused(
      "InvalidSignatureException",
      `Signature expired: ${header} is more than 5 minutes away from the service's clock.`,
    );
  }
  return at;
}

function checkBodyHash(request: SignedRequest): void {
  const claimed = request.headers["x-amz-content-sha256"];
  if (claimed === undefined) return;
  const actual = createHash("sha256").update(request.body).digest("hex");
  if (claimed !== actual) {
    throw new Refused(
      "InvalidSignatureException",
      "The value of x-amz-content-sha256 does not match the body that arrived.",
    );
  }
}

interface Scope {
  readonly principal: Principal;
  readonly region: string;
  readonly service: string;
  readonly signedAt: Date;
  readonly names: readonly string[];
}

/** Signs what arrived with Smithy's signer, an implementation the gateway's own signer shares nothing with. */
async function sign(request: SignedRequest, scope: Scope): Promise<string> {
  const headers: Record<string, string> = {};
  for (const name of scope.names) {
    const value = name === "host" ? (request.headers.host ?? request.headers[":authority"]) : request.headers[name];
    if (typeof value === "string") headers[name] = value;
  }
  const { accessKeyId, secretAccessKey, sessionToken } = scope.principal;
  const signer = new SignatureV4({
    service: scope.service,
    region: scope.region,
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
    sha256: Sha256,
    applyChecksum: scope.names.includes("x-amz-content-sha256"),
  });
  const { method, path, query, body } = request;
  const signed = await signer.sign(
    { method, path, query, headers, body, protocol: "http:", hostname: headers.host ?? "" },
    { signingDate: scope.signedAt, signableHeaders: new Set(scope.names) },
  );
  return signed.headers.authorization?.slice(-64) ?? "";
}

/** Smithy's hash interface over node:crypto. */
class Sha256 {
  readonly #hash: ReturnType<typeof createHash> | ReturnType<typeof createHmac>;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash("sha256") : createHmac("sha256", asBuffer(secret));
  }
  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(asBuffer(data));
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
}

function asBuffer(data: string | ArrayBuffer | ArrayBufferView): Buffer {
  if (typeof data === "string") return Buffer.from(data);
  return ArrayBuffer.isView(data) ? Buffer.from(data.buffer, data.byteOffset, data.byteLength) : Buffer.from(data);
}
