import type { CallerTag, LlmCall } from "../call.ts";
import type { Deployment } from "../deployments.ts";
import type { JsonObject } from "../dialects/body.ts";
import type { Conversation } from "../dialects/conversation.ts";
import type { AnswerMeta, Translator } from "../dialects/translator.ts";
import type { GatewayError } from "../errors.ts";
import type { Exchange } from "./exchange.ts";

/** One call on its way to a deployment, with what its dialect can make of it. */
export interface Outgoing {
  readonly call: LlmCall<JsonObject>;
  readonly deployment: Deployment;
  readonly caller: CallerTag;
  readonly meta: AnswerMeta;
  /** Undefined for dialects that speak to one kind of upstream only. */
  readonly translator: Translator | undefined;
  /** Made once per call, however many deployments are tried, where they all drop or all refuse. @throws GatewayError */
  conversation(): Conversation;
}

/** Where and with whose credentials an exchange is sent. */
export interface Addressed {
  readonly origin: string;
  /** With everything the base URL has before it. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** One kind of provider. */
export interface Upstream {
  /** Puts a call into the provider's words. @throws GatewayError when the provider has no words for it */
  exchange(outgoing: Outgoing): Exchange;
  /** Adds address and credentials. @throws GatewayError `upstream_denied` when there are none */
  address(exchange: Exchange, outgoing: Outgoing): Promise<Addressed> | Addressed;
  errorOf(status: number, headers: Readonly<Record<string, string | string[] | undefined>>, body: Buffer): GatewayError;
}
