export { type ClientAuthOptions, clientAuthentication } from "./client-auth.ts";
export { type ActorOptions, createExchange, type ExchangeOptions } from "./create.ts";
export type { ClientOptions, RequestOptions } from "./endpoint.ts";
export type { Exchange, ExchangeCall, ExchangeTarget, ScopedToken, Subject } from "./exchange.ts";
export { type MutualTlsOptions, mutualTlsFetch } from "./mutual-tls.ts";
export type { TokenTypeName } from "./profile.ts";
export type { ProfileName } from "./profiles/index.ts";
export type { ServerOptions } from "./server.ts";
