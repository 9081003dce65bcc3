import { type ClockOptions, clockFrom } from "../clock.ts";
import { AuthError } from "../errors.ts";
import type { OnEvent } from "../events.ts";
import type { Fetch } from "../fetch-json.ts";
import { judge } from "./answer.ts";
import { type ClientAuthOptions, clientAuthentication } from "./client-auth.ts";
import type { Exchange, ScopedToken, Subject } from "./exchange.ts";
import { answerInvalid, unavailable } from "./faults.ts";
import { requireNeeds } from "./needs.ts";
import { createPatience } from "./patience.ts";
import { type Answer, type Ask, type Leg, type TokenTypeName, tokenType } from "./profile.ts";
import { type ProfileName, profiles } from "./profiles/index.ts";
import { type ServerOptions, serverLocator } from "./server.ts";
import { requestToken, type TokenClient } from "./token-request.ts";

/** A client at an authorization server. */
export interface ClientOptions {
  readonly issuer: ServerOptions;
  readonly clientId: string;
  readonly clientAuth: ClientAuthOptions;
}

export interface ExchangeOptions extends ClientOptions, Pick<ClockOptions, "now"> {
  readonly profile: ProfileName;
  /** The next hop's name at the authorization server. */
  readonly audience?: string | readonly string[] | undefined;
  /** URIs of the next hop (RFC 8707), for servers that ask for them instead. */
  readonly resource?: string | readonly string[] | undefined;
  readonly scopes?: readonly string[] | undefined;
  /** What the subject's token is; the profile knows unless given. */
  readonly subjectTokenType?: TokenTypeName | undefined;
  /** Who acts for the subject (RFC 8693 section 2.1): asked for its token at each exchange. */
  readonly actor?: { readonly token: () => string | Promise<string>; readonly tokenType?: TokenTypeName } | undefined;
  /** Profile `id_jag`: our client at the other domain's server. */
  readonly target?: ClientOptions | undefined;
  /** Milliseconds for one exchange with all its retries; 5000 unless given. */
  readonly timeoutMs?: number | undefined;
  /** Further attempts after 5xx and 429; 2 unless given. */
  readonly retries?: number | undefined;
  readonly fetch?: Fetch | undefined;
  readonly onEvent?: OnEvent | undefined;
}

/**
 * A function that exchanges a subject's token for one that is good for the configured audience only.
 * @throws TypeError when the options are incomplete for the profile, or the key file cannot be used
 */
export function createExchange(options: ExchangeOptions): Exchange {
  const profile = profiles[options.profile];
  if (profile === undefined) throw new TypeError(`profile must be one of ${Object.keys(profiles).join(", ")}.`);
  requireNeeds(options, profile.needs);
  const clock = clockFrom(options);
  const { timeoutMs = 5000, target } = options;
  const near = createEndpoint(options, options);
  const far = target === undefined ? near : createEndpoint(target, options);
  const wish = { audience: list(options.audience), resource: list(options.resource), scopes: options.scopes ?? [] };
  const subjectTokenType = tokenType(options.subjectTokenType ?? profile.subjectTokenType);

  const exchangeWithin: Exchange = async (subject, call = {}) => {
    const deadline = AbortSignal.timeout(timeoutMs);
    const signal = call.signal === undefined ? deadline : AbortSignal.any([deadline, call.signal]);
    try {
      return await exchange(subject, signal);
    } catch (error) {
      throw deadline.aborted && !(error instanceof AuthError) ? unavailable(error) : error;
    }
  };
  const server = "tokenEndpoint" in options.issuer ? options.issuer.tokenEndpoint : options.issuer.discoveryUrl;
  return Object.assign(exchangeWithin, {
    target: Object.freeze({ profile: options.profile, server, clientId: options.clientId, ...wish }),
  });

  async function exchange(subject: Subject, signal: AbortSignal): Promise<ScopedToken> {
    const targetIssuer = target === undefined ? undefined : (await far.client.locate()).issuer;
    let ask: Ask = {
      ...wish,
      token: subject.token,
      tokenType: subjectTokenType,
      actor: await actorOf(options),
      targetIssuer,
    };
    for (const leg of profile.legs.slice(0, -1)) {
      const answer = await near.request(leg, ask, signal);
      ask = { ...ask, token: answer.access_token };
    }
    const last = profile.legs.at(-1) as Leg;
    const endpoint = profile.legs.length > 1 ? far : near;
    const now = clock.wallMs() / 1000;
    const answer = await endpoint.request(last, ask, signal);
    const { issuer } = await endpoint.client.locate();
    const judged = judge(answer, {
      ...wish,
      issuer,
      subject: subject.identity,
      scopesGranted: profile.scopesGranted,
      now,
    });
    if ("problem" in judged) throw answerInvalid(new Error(`Refused the issued token: ${judged.problem}.`));
    return Object.freeze({
      accessToken: answer.access_token,
      tokenType: answer.token_type === "dpop" ? "DPoP" : "Bearer",
      ...judged,
      audience: wish.audience[0],
      issuer,
      clientId: endpoint.client.clientId,
      source: "fresh",
    });
  }
}

interface Endpoint {
  readonly client: TokenClient;
  readonly request: (leg: Leg, ask: Ask, signal: AbortSignal) => Promise<Answer>;
}

function createEndpoint(options: ClientOptions, shared: ExchangeOptions): Endpoint {
  const { timeoutMs = 5000, fetch = globalThis.fetch, retries = 2, onEvent = () => undefined } = shared;
  const client: TokenClient = {
    clientId: options.clientId,
    authenticate: clientAuthentication(options.clientAuth),
    locate: serverLocator(options.issuer, fetch, timeoutMs),
  };
  const issuer = "issuer" in options.issuer ? (options.issuer.issuer ?? "") : options.issuer.discoveryUrl;
  const patience = createPatience({ issuer, retries, onEvent });
  return {
    client,
    async request({ grantType, fields, problem }, ask, signal) {
      const answer = await patience(
        () => requestToken(client, { grantType, fields: fields(ask), signal }, fetch),
        signal,
      );
      const wrong = problem(answer);
      if (wrong === undefined) return answer;
      throw answerInvalid(new Error(`Refused the token endpoint's answer: ${wrong}.`));
    },
  };
}

async function actorOf({ actor }: ExchangeOptions): Promise<Ask["actor"]> {
  if (actor === undefined) return undefined;
  return { token: await actor.token(), tokenType: tokenType(actor.tokenType ?? "access_token") };
}

function list(value: string | readonly string[] | undefined): readonly string[] {
  return typeof value === "string" ? [value] : (value ?? []);
}
