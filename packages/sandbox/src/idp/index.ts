export type { IssuerInput, UserInput } from "./definitions.ts";
export type { Lifetimes } from "./lifetimes.ts";
export { type IdentityProvider, type IdentityProviderOptions, startIdentityProvider } from "./start.ts";
