import {
  allowInsecureRequests,
  type ClientAuth,
  Configuration,
  type CustomFetch,
  customFetch,
  type DPoPHandle,
  genericGrantRequest,
  getDPoPHandle,
} from "openid-client";
import { isRecord } from "../compact.ts";
import type { DpopSigner } from "../dpop/signer.ts";
import type { AuthError } from "../errors.ts";
import { type Fetch, readLimited } from "../fetch-json.ts";
import { answerInvalid, BusyError, exchangeFault, retryAfter, unavailable } from "./faults.ts";
import type { Answer, Field, Leg } from "./profile.ts";
import type { Server } from "./server.ts";

/** Bytes: a token has at most 16 KB, and little stands beside it. */
const MAX_ANSWER_BYTES = 256 * 1024;

/** Who asks, and where. */
export interface TokenClient {
  readonly clientId: string;
  readonly authenticate: ClientAuth;
  readonly locate: () => Promise<Server>;
  /** Asks for tokens bound to a key (RFC 9449 section 5). */
  readonly dpop: DPoPHandle | undefined;
}

/** What is asked. */
interface TokenRequest {
  readonly grantType: Leg["grantType"];
  readonly fields: readonly Field[];
  readonly signal: AbortSignal;
  readonly badSubject: RegExp | undefined;
}

/**
 * One request to a token endpoint, by openid-client: it authenticates the client, writes the form and reads the answer;
 * this file keeps it to our limits. Every failure is an AuthError with the fault already decided.
 */
export async function requestToken(client: TokenClient, request: TokenRequest, fetch: Fetch): Promise<Answer> {
  const { issuer, tokenEndpoint } = await client.locate();
  const metadata = { issuer, token_endpoint: tokenEndpoint };
  const configuration = new Configuration(metadata, client.clientId, undefined, client.authenticate);
  configuration[customFetch] = limited(fetch, request.signal);
  // Plain http was refused at construction, unless it is on loopback.
  allowInsecureRequests(configuration);
  const DPoP = client.dpop;
  const form = new URLSearchParams(request.fields.map(([name, value]): [string, string] => [name, value]));
  try {
    return await genericGrantRequest(configuration, request.grantType, form, DPoP && { DPoP });
  } catch (error) {
    throw exchangeFault(error, request.badSubject);
  }
}

/** One handle per signer: it remembers the servers' nonces. */
export function dpopHandle(signer: DpopSigner, clientId: string): DPoPHandle {
  return getDPoPHandle(new Configuration({ issuer: "https://unused.invalid" }, clientId), signer.keyPair);
}

/** The caller's fetch with our signal and size limit; an overloaded or broken server is told apart here. */
function limited(fetch: Fetch, signal: AbortSignal): CustomFetch {
  return async (url, { method, headers, body }) => {
    const response = await fetch(url, { method, headers, body: String(body), redirect: "manual", signal });
    const { status } = response;
    const fault = statusFault(response);
    if (fault !== undefined) {
      await response.body?.cancel();
      throw fault;
    }
    const text = await readLimited(response, MAX_ANSWER_BYTES).catch((cause: unknown) => {
      throw signal.aborted ? unavailable(cause) : answerInvalid(cause);
    });
    const answered = { "content-type": "application/json", ...nonceOf(response) };
    return new Response(status === 200 ? accessTokenOnly(text) : text, { status, headers: answered });
  };
}

/** Neither a success nor a refusal: busy, or not speaking OAuth. */
function statusFault({ status, headers }: Response): AuthError | undefined {
  if (status === 200) return undefined;
  if (status >= 500 || status === 429) {
    const seconds = retryAfter(headers.get("retry-after"), Date.now());
    return unavailable(new BusyError(status, seconds), seconds);
  }
  return status < 400 ? answerInvalid(new Error(`The token endpoint answered ${status}.`)) : undefined;
}

function nonceOf(response: Response): { "dpop-nonce"?: string } {
  const nonce = response.headers.get("dpop-nonce");
  return nonce === null ? {} : { "dpop-nonce": nonce };
}

/** ID and refresh tokens that come along are for nobody here. */
function accessTokenOnly(text: string): string {
  const answer = parse(text);
  if (!isRecord(answer)) throw answerInvalid(new Error("The token endpoint's answer is no JSON object."));
  const { access_token, token_type, expires_in, scope, issued_token_type } = answer;
  return JSON.stringify({ access_token, token_type, expires_in, scope, issued_token_type });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Its message would quote the answer, and the answer holds a token.
    return undefined;
  }
}
