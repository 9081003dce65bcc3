import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Adapter } from "oidc-provider";
import { type Accounts, accountsOf } from "./accounts.ts";
import { accessTokenClaims } from "./claims.ts";
import { type ClientKeys, clientStorage } from "./clients.ts";
import { createCodeGuesses } from "./code-guesses.ts";
import type { IssuerDefinition, User } from "./definitions.ts";
import { withDeviceBounds } from "./device-bounds.ts";
import { dialects } from "./dialects/index.ts";
import type { TrustedIssuer } from "./exchange/subject.ts";
import { grantTypes } from "./grant-types.ts";
import type { Issuers } from "./issuers.ts";
import type { SigningKeys } from "./keys.ts";
import type { Lifetimes } from "./lifetimes.ts";
import type { Notes } from "./notes.ts";
import { createProvider } from "./provider.ts";
import { type SignedOut, signOutEverywhere } from "./sign-out.ts";
import type { State } from "./state.ts";
import type { StepUp } from "./step-up.ts";
import { type ReferenceOf, referencesBy, withReferences } from "./token-reference.ts";

/** What all issuers of a provider have in common. */
export interface IssuerSetting {
  readonly users: ReadonlyMap<string, User>;
  readonly state: State;
  readonly lifetimes: Lifetimes;
  readonly launchpadUrls: readonly string[];
  readonly keyOf: ClientKeys;
  readonly stepUp: StepUp;
  readonly notes: Notes;
  /** To look up those that an issuer trusts. */
  readonly others: Issuers;
}

interface IssuerParts extends IssuerSetting {
  readonly name: string;
  readonly url: string;
  readonly definition: IssuerDefinition;
}

/** One issuer of the running provider. */
export interface Issuer {
  readonly name: string;
  readonly url: string;
  readonly keys: SigningKeys;
  readonly referenceOf: ReferenceOf;
  /** Answers a request whose URL is relative to the issuer's. */
  handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void>;
  /** New keys from now on. @param keepOld whether what the old ones signed stays verifiable */
  rotateKeys(keepOld: boolean): Promise<void>;
  /** Ends every session of a user, and tells the clients. */
  signOut(username: string): Promise<SignedOut>;
  /** As seen by an issuer that trusts this one. */
  readonly trusted: TrustedIssuer;
}

export function createIssuer(parts: IssuerParts, keys: SigningKeys): Issuer {
  const { name, url, definition, state, others } = parts;
  const dialect = dialects[definition.dialect];
  const accounts = accountsOf(parts.users, dialect);
  const addedGrants = [...(dialect.exchange ? [grantTypes.tokenExchange] : []), grantTypes.jwtBearer];
  const secret = remembered(state, `secret:${name}`);
  const referenceOf = referencesBy(secret);
  const bounds = { guesses: createCodeGuesses(), waiting: () => state.waitingDeviceCodes(name) };
  const storage = (model: string) => {
    const plain = state.adapter(name, model);
    if (model === "Client") return clientStorage(plain, definition.clients, { ...parts, addedGrants });
    if (model === "DeviceCode") return withDeviceBounds(plain, bounds);
    return model === "AccessToken" || model === "ClientCredentials" ? withReferences(plain, referenceOf) : plain;
  };
  const trusted = asTrusted(parts, keys, accounts, storage, referenceOf);
  const trusts = definition.trusts.filter((other) => other !== name);
  const make = () =>
    createProvider({
      ...parts,
      keys,
      accounts,
      dialect,
      storage,
      secret,
      referenceOf,
      trusted: async () => {
        const found = await Promise.all(trusts.map((other) => others.get(other)));
        return [trusted, ...found.flatMap((issuer) => issuer?.trusted ?? [])];
      },
      urlOf: others.urlOf,
    });

  let provider = make();
  let answer = provider.callback();
  return {
    name,
    url,
    keys,
    trusted,
    referenceOf,
    handle: (incoming, outgoing) => answer(incoming, outgoing),
    rotateKeys: async (keepOld) => {
      await keys.rotate(keepOld);
      provider = make();
      answer = provider.callback();
    },
    signOut: async (username) => {
      const user = accounts.byUsername(username);
      const subject = user === undefined ? username : accounts.subjectOf(user);
      return await signOutEverywhere({ issuer: name, provider, state, storage }, subject);
    },
  };
}

function asTrusted(
  { name, url }: IssuerParts,
  keys: SigningKeys,
  accounts: Accounts,
  storage: (model: string) => Adapter,
  referenceOf: ReferenceOf,
): TrustedIssuer {
  const [ofUsers, ofClients] = [storage("AccessToken"), storage("ClientCredentials")];
  const find = async (id: string) => (await ofUsers.find(id)) ?? (await ofClients.find(id)) ?? undefined;
  return {
    name,
    url,
    find: keys.find,
    signingKeys: keys.all,
    issued: (jti) => find(referenceOf(jti)),
    opaque: find,
    userOf: (subject) => {
      const user = accounts.bySubject(subject);
      return user && accessTokenClaims(user);
    },
  };
}

function remembered(state: State, name: string): string {
  const known = state.read(name);
  if (known !== undefined) return known;
  const secret = randomBytes(32).toString("base64url");
  state.write(name, secret);
  return secret;
}
