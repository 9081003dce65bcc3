import { unlessAborted } from "../abort.ts";
import { clockFrom } from "../clock.ts";
import { AuthError } from "../errors.ts";
import { judge } from "./answer.ts";
import { type ClientOptions, createEndpoint, DEFAULT_TIMEOUT_MS, type RequestOptions, serverName } from "./endpoint.ts";
import type { Exchange, ScopedToken, Subject } from "./exchange.ts";
import { answerInvalid, unavailable } from "./faults.ts";
import { requireNeeds } from "./needs.ts";
import type { Effort } from "./patience.ts";
import { type Ask, type ExchangeProfile, type TokenTypeName, tokenType } from "./profile.ts";
import { type ProfileName, profiles } from "./profiles/index.ts";

/** One next hop: which server to ask, as whom, and for what. */
export interface ExchangeOptions extends ClientOptions, RequestOptions {
  /** The provider, with what it asks for and how its answers are read. */
  readonly profile: ProfileName;
  /** The next hop's name at the authorization server. */
  readonly audience?: string | readonly string[] | undefined;
  /** URIs of the next hop (RFC 8707), for servers that ask for them instead. */
  readonly resource?: string | readonly string[] | undefined;
  /** An answer with more than these is refused, unless the provider is one that adds its own. */
  readonly scopes?: readonly string[] | undefined;
  /** What the subject's token is; the profile knows unless given. */
  readonly subjectTokenType?: TokenTypeName | undefined;
  /** Who acts for the subject (RFC 8693 section 2.1): asked for its token at each exchange. */
  readonly actor?: ActorOptions | undefined;
  /** Profile `id_jag`: our client at the other domain's server. */
  readonly target?: ClientOptions | undefined;
}

/** The party that acts for the subject. */
export interface ActorOptions {
  /** May come from a cache of its own; a rejection fails the exchange as `exchange_unavailable`. */
  readonly token: () => string | Promise<string>;
  /** `access_token` unless given. */
  readonly tokenType?: TokenTypeName | undefined;
}

/**
 * A function that exchanges a subject's token for one that is good for the configured audience only.
 * @throws TypeError when the options are incomplete for the profile, or the key file cannot be used
 */
export function createExchange(options: ExchangeOptions): Exchange {
  const profile = profileOf(options.profile);
  requireNeeds(options, profile.needs);
  const { timeoutMs = DEFAULT_TIMEOUT_MS, actor, dpop } = options;
  const clock = clockFrom(options);
  const near = createEndpoint(options, options, profile.badSubject);
  const far = options.target === undefined ? near : createEndpoint(options.target, options, profile.badSubject);
  const subjectTokenType = options.subjectTokenType ?? profile.subjectTokenType;
  const wish = { audience: list(options.audience), resource: list(options.resource), scopes: list(options.scopes) };

  async function exchange(subject: Subject, effort: Effort): Promise<ScopedToken> {
    const askedAt = clock.wallMs() / 1000;
    const answer = await walk(subject, effort);
    const { issuer } = await far.locate();
    const judged = judge(answer, {
      ...wish,
      issuer,
      subject: subject.identity,
      profile,
      now: askedAt,
      bound: dpop !== undefined,
    });
    if ("problem" in judged) throw answerInvalid(new Error(`Refused the issued token: ${judged.problem}.`));
    const audience = wish.audience[0];
    return Object.freeze({ ...judged, audience, issuer, clientId: far.clientId, source: "fresh" });
  }

  /** Leg by leg; the token of the one goes into the next. */
  async function walk({ token }: Subject, effort: Effort) {
    const ask: Ask = {
      ...wish,
      token,
      tokenType: tokenType(subjectTokenType),
      actor: actor && { token: await actor.token(), tokenType: tokenType(actor.tokenType ?? "access_token") },
      farIssuer: (await far.locate()).issuer,
    };
    const [first, second] = profile.legs;
    const answer = await near.request(first, ask, effort);
    return second === undefined ? answer : far.request(second, { ...ask, token: answer.access_token }, effort);
  }

  const within: Exchange = async (subject, call = {}) => {
    call.signal?.throwIfAborted();
    const deadline = AbortSignal.timeout(timeoutMs);
    const signal = call.signal === undefined ? deadline : AbortSignal.any([deadline, call.signal]);
    try {
      const effort = { signal, callerLeft: () => call.signal?.aborted ?? false };
      return await unlessAborted(exchange(subject, effort), signal);
    } catch (error) {
      call.signal?.throwIfAborted();
      throw error instanceof AuthError ? error : unavailable(error);
    }
  };
  const { profile: name, clientId, target } = options;
  const server = [options, ...(target === undefined ? [] : [target])].map(({ issuer }) => serverName(issuer)).join(" ");
  const facts = { profile: name, server, clientId, subjectTokenType, withActor: actor !== undefined };
  return Object.assign(within, { target: Object.freeze({ ...facts, ...wish, boundTo: dpop?.thumbprint }) });
}

function profileOf(name: ProfileName): ExchangeProfile {
  if (Object.hasOwn(profiles, name)) return profiles[name];
  throw new TypeError(`profile must be one of ${Object.keys(profiles).join(", ")}.`);
}

function list(value: string | readonly string[] | undefined): readonly string[] {
  return Object.freeze(typeof value === "string" ? [value] : [...(value ?? [])]);
}
