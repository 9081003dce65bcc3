import { type ClockOptions, clockFrom } from "../clock.ts";
import type { DpopSigner } from "../dpop/signer.ts";
import { listener, type OnEvent } from "../events.ts";
import { type Fetch, platformFetch } from "../fetch-json.ts";
import { requireMilliseconds } from "../requirements.ts";
import { type ClientAuthOptions, clientAuthentication } from "./client-auth.ts";
import { answerInvalid } from "./faults.ts";
import { createPatience, type Effort } from "./patience.ts";
import type { Answer, Ask, Leg } from "./profile.ts";
import { type Server, type ServerOptions, serverLocator } from "./server.ts";
import { dpopHandle, requestToken, type TokenClient } from "./token-request.ts";

/** A client at an authorization server. */
export interface ClientOptions {
  readonly issuer: ServerOptions;
  readonly clientId: string;
  readonly clientAuth: ClientAuthOptions;
}

/** How requests are made, whichever server they go to. */
export interface RequestOptions extends ClockOptions {
  /** Milliseconds for one exchange with all its retries; 5000 unless given. */
  readonly timeoutMs?: number | undefined;
  /** Further attempts after 5xx and 429; 2 unless given. */
  readonly retries?: number | undefined;
  /** Ask for tokens bound to this signer's key; the next hop then gets them as `DPoP`, with a proof for each request. */
  readonly dpop?: DpopSigner | undefined;
  /** Asks the token endpoint and the discovery document; the platform's unless given. */
  readonly fetch?: Fetch | undefined;
  /** Told of retries and of the breaker. */
  readonly onEvent?: OnEvent | undefined;
}

/** A token endpoint, asked as one client and with patience. */
export interface Endpoint {
  readonly clientId: string;
  readonly locate: () => Promise<Server>;
  readonly request: (leg: Leg, ask: Ask, effort: Effort) => Promise<Answer>;
}

/** A person waits for it, with other hops still to come. */
export const DEFAULT_TIMEOUT_MS = 5000;

/** @throws TypeError when the client is incomplete or a URL is not secure */
export function createEndpoint(
  { issuer, clientId, clientAuth }: ClientOptions,
  options: RequestOptions,
  badSubject: RegExp | undefined,
): Endpoint {
  const { fetch = platformFetch, retries = 2 } = options;
  const timeoutMs = requireMilliseconds(options.timeoutMs ?? DEFAULT_TIMEOUT_MS, "timeoutMs");
  if (typeof clientId !== "string" || clientId === "") throw new TypeError("An exchange needs its `clientId`.");
  const client: TokenClient = {
    clientId,
    authenticate: clientAuthentication(clientAuth),
    locate: serverLocator(issuer, fetch, timeoutMs),
    dpop: options.dpop && dpopHandle(options.dpop, clientId),
  };
  const { steadyMs } = clockFrom(options);
  const onEvent = listener(options.onEvent);
  const patience = createPatience({ server: serverName(issuer), retries, steadyMs, onEvent });

  async function request({ grantType, fields, problem }: Leg, ask: Ask, effort: Effort): Promise<Answer> {
    const form = { grantType, fields: fields(ask), signal: effort.signal, badSubject };
    const answer = await patience(() => requestToken(client, form, fetch), effort);
    const wrong = problem(answer);
    if (wrong === undefined) return answer;
    throw answerInvalid(new Error(`Refused the token endpoint's answer: ${wrong}.`));
  }

  return { clientId, locate: client.locate, request };
}

/** What tells this server from others without asking it. */
export function serverName(options: ServerOptions): string {
  return "tokenEndpoint" in options ? options.tokenEndpoint : options.discoveryUrl;
}
