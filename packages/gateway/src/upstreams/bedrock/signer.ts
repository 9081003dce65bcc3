import { createHmac, hash } from "node:crypto";
import { remembered } from "../../remembered.ts";

/** As AWS gives them; with a session token they end by themselves. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** What Signature Version 4 covers: the request as it will be sent. */
export interface SignableRequest {
  readonly method: string;
  /** Path as sent, already percent-encoded once. */
  readonly path: string;
  /** Query pairs, not encoded; none when absent. */
  readonly query?: readonly (readonly [string, string])[];
  /** Every header to sign, `host` among them; names in lower case. `x-amz-date` and the session token are added. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

interface SignatureHeaders {
  readonly authorization: string;
  readonly "x-amz-date": string;
  readonly "x-amz-security-token"?: string;
}

/**
 * AWS Signature Version 4 for one service. The key of a day and region is derived once for a credentials object and kept, and so is the encoded
 * form of a path, which is where a general signer spends most of its time.
 */
export function createSigner(service: string) {
  const dayKey = createDayKeys(service);
  const canonicalPath = remembered(512, encodePath);
  const amzDate = createAmzDate();
  // Requests differ in what their headers say, hardly ever in which they are.
  const signedNames = remembered(512, sortNames);

  return (request: SignableRequest, credentials: AwsCredentials, region: string, nowMs: number): SignatureHeaders => {
    const date = amzDate(nowMs);
    const { mac, scope, credential } = dayKey(credentials, date.slice(0, 8), region);
    const { headers } = request;
    const added = credentials.sessionToken === undefined ? dateOnly : dateAndToken;
    const { names, signedHeaders } = signedNames(Object.keys(headers).join(";") + added);
    let canonical = `${request.method}\n${canonicalPath(request.path)}\n${encodeQuery(request.query)}\n`;
    for (const name of names) {
      if (name === "x-amz-date") canonical += `x-amz-date:${date}\n`;
      else if (name === "x-amz-security-token") canonical += `${name}:${credentials.sessionToken}\n`;
      else canonical += `${name}:${collapse(headers[name] ?? "")}\n`;
    }
    canonical += `\n${signedHeaders}\n${hash("sha256", request.body, "hex")}`;
    const signature = mac(`AWS4-HMAC-SHA256\n${date}\n${scope}\n${hash("sha256", canonical, "hex")}`);
    const authorization = `${credential}, SignedHeaders=${signedHeaders}, Signature=${signature}`;
    return credentials.sessionToken === undefined
      ? { authorization, "x-amz-date": date }
      : { authorization, "x-amz-date": date, "x-amz-security-token": credentials.sessionToken };
  };
}

const dateOnly = ";x-amz-date";
const dateAndToken = ";x-amz-date;x-amz-security-token";

/** What stays the same in every signature of one day, region and key. */
interface DayKey {
  readonly day: string;
  readonly mac: Mac;
  readonly scope: string;
  readonly credential: string;
}

/** Kept with the credentials they are derived from, one for each region, and gone with them. */
function createDayKeys(service: string): (credentials: AwsCredentials, day: string, region: string) => DayKey {
  const keys = new WeakMap<AwsCredentials, Map<string, DayKey>>();
  const derive = ({ accessKeyId, secretAccessKey }: AwsCredentials, day: string, region: string): DayKey => {
    const step = (key: string | Buffer, data: string): Buffer => createHmac("sha256", key).update(data).digest();
    const mac = macWith(step(step(step(step(`AWS4${secretAccessKey}`, day), region), service), "aws4_request"));
    const scope = `${day}/${region}/${service}/aws4_request`;
    return { day, mac, scope, credential: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}` };
  };
  return (credentials, day, region) => {
    let ofRegions = keys.get(credentials);
    if (ofRegions === undefined) {
      ofRegions = new Map();
      keys.set(credentials, ofRegions);
    }
    const kept = ofRegions.get(region);
    if (kept?.day === day) return kept;
    const made = derive(credentials, day, region);
    ofRegions.set(region, made);
    return made;
  };
}

/** HMAC-SHA256 of an ASCII text with one key, in hexadecimal. */
type Mac = (text: string) => string;

const blockBytes = 64;

/** RFC 2104 with the padded key kept: two one-shot hashes cost half of what making an HMAC object does. */
function macWith(key: Buffer): Mac {
  const pad = (byte: number): Buffer =>
    Buffer.from(Uint8Array.from({ length: blockBytes }, (_, at) => (key[at] ?? 0) ^ byte));
  const inner = pad(0x36);
  const outer = Buffer.concat([pad(0x5c), Buffer.alloc(32)]);
  return (text) => {
    const message = Buffer.allocUnsafe(blockBytes + text.length);
    inner.copy(message);
    message.write(text, blockBytes, "latin1");
    outer.write(hash("sha256", message, "latin1"), blockBytes, "latin1");
    return hash("sha256", outer, "hex");
  };
}

/** `YYYYMMDDThhmmssZ`, made once a second. */
function createAmzDate(): (nowMs: number) => string {
  let second = Number.NaN;
  let text = "";
  return (nowMs) => {
    const current = Math.floor(nowMs / 1000);
    if (current !== second) {
      second = current;
      text = `${new Date(current * 1000).toISOString().slice(0, 19).replace(/[-:]/g, "")}Z`;
    }
    return text;
  };
}

/** @param joined the headers' names with semicolons between, which no name can hold */
function sortNames(joined: string): { readonly names: readonly string[]; readonly signedHeaders: string } {
  const names = joined.split(";").sort();
  return { names, signedHeaders: names.join(";") };
}

/** Every service but S3 normalises the path and encodes it a second time. */
function encodePath(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") kept.pop();
    else if (segment !== "" && segment !== ".") kept.push(encode(segment));
  }
  return `/${kept.join("/")}${kept.length > 0 && path.endsWith("/") ? "/" : ""}`;
}

function encodeQuery(query: SignableRequest["query"]): string {
  if (query === undefined || query.length === 0) return "";
  const pairs = query.map(([name, value]) => [encode(name), encode(value)] as const);
  const before = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);
  return pairs
    .sort(([a, x], [b, y]) => before(a, b) || before(x, y))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
}

/** RFC 3986's unreserved characters stay; encodeURIComponent leaves five more. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function collapse(value: string): string {
  return value.includes("  ") || value !== value.trim() ? value.trim().replace(/ +/g, " ") : value;
}
