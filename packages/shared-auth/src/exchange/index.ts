export type { ClientAuthOptions } from "./client-auth.ts";
export { type ClientOptions, createExchange, type ExchangeOptions } from "./create.ts";
export type { Exchange, ExchangeCall, ScopedToken, Subject } from "./exchange.ts";
export type { TokenTypeName } from "./profile.ts";
export type { ProfileName } from "./profiles/index.ts";
export type { ServerOptions } from "./server.ts";
