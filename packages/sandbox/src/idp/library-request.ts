import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { HttpError } from "@onbehalf/service-kit";
import { resourceOf } from "./audiences.ts";
import type { Endpoint } from "./calls.ts";
import { translatedChallenge } from "./step-up.ts";
import { presented, presentedToUserinfo, type Signer } from "./token-reference.ts";

const maxBodyBytes = 64 * 1024;

/** Endpoints whose forms say something the library must be told otherwise. */
const rewritten: ReadonlySet<Endpoint> = new Set(["introspect", "revoke", "token", "device_authorization"] as const);

/**
 * The request as the library is to see it: with a path below the issuer (it makes its own URLs from the original one),
 * and with the reference of a JWT in place of the JWT where it does not take JWTs.
 */
export async function forLibrary(incoming: IncomingMessage, path: string, endpoint: Endpoint, signer: Signer) {
  const issuerPath = new URL(signer.url).pathname;
  if (incoming.method === "POST" && rewritten.has(endpoint)) {
    const form = new URLSearchParams(await readBody(incoming));
    if (endpoint === "token") nameTarget(form);
    else if (endpoint === "device_authorization") translateChallenge(form);
    else await replaceToken(form, signer);
    return placed(replayed(incoming, form.toString()), issuerPath, path);
  }
  if (endpoint === "userinfo") await replaceBearer(incoming, signer);
  return placed(incoming, issuerPath, endpoint === "authorize" ? forAuthorize(path) : path);
}

async function replaceToken(form: URLSearchParams, signer: Signer): Promise<void> {
  const [token, ...more] = form.getAll("token");
  // Two of them are for the library to refuse.
  if (token !== undefined && more.length === 0) form.set("token", await presented(token, signer));
}

async function replaceBearer(incoming: IncomingMessage, signer: Signer): Promise<void> {
  const [scheme, token, ...more] = (incoming.headers.authorization ?? "").split(" ");
  if (token === undefined || more.length > 0) return;
  incoming.headers.authorization = `${scheme} ${await presentedToUserinfo(token, signer)}`;
}

/** For a client's own token the library knows no `audience`, only resource indicators. */
function nameTarget(form: URLSearchParams): void {
  const audiences = form.getAll("audience");
  if (form.get("grant_type") !== "client_credentials" || audiences.length === 0) return;
  form.delete("audience");
  for (const audience of audiences) form.append("resource", resourceOf(audience));
}

function placed(incoming: IncomingMessage, issuerPath: string, path: string): IncomingMessage {
  incoming.url = path;
  return Object.assign(incoming, { originalUrl: `${issuerPath}${path}` });
}

/**
 * The library gives refresh tokens only after `prompt=consent` (OpenID Connect Core, section 11), the real providers
 * give them anyway; and it knows only the challenges of OpenID Connect.
 */
function forAuthorize(path: string): string {
  const url = new URL(path, "http://issuer");
  translateChallenge(url.searchParams);
  const prompts = (url.searchParams.get("prompt") ?? "").split(" ").filter(Boolean);
  const wantsRefresh = (url.searchParams.get("scope") ?? "").split(" ").includes("offline_access");
  if (wantsRefresh && !prompts.includes("consent") && !prompts.includes("none")) {
    url.searchParams.set("prompt", [...prompts, "consent"].join(" "));
  }
  return `${url.pathname}${url.search}`;
}

function translateChallenge(parameters: URLSearchParams): void {
  const claims = parameters.get("claims");
  if (claims !== null) parameters.set("claims", translatedChallenge(claims));
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
    size += (chunk as Buffer).length;
    if (size > maxBodyBytes)
      throw new HttpError(413, "invalid_request", `the body is larger than ${maxBodyBytes} bytes`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** A request whose body was read already and is given once more, changed. */
function replayed(incoming: IncomingMessage, body: string): IncomingMessage {
  const bytes = Buffer.from(body);
  const { method, socket, httpVersion, rawHeaders } = incoming;
  const headers = { ...incoming.headers, "content-length": String(bytes.length) };
  return Object.assign(Readable.from([bytes]), {
    method,
    socket,
    httpVersion,
    rawHeaders,
    headers,
  }) as unknown as IncomingMessage;
}
