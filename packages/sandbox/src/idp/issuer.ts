import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Adapter } from "oidc-provider";
import { type Accounts, accountsOf } from "./accounts.ts";
import { accessTokenClaims } from "./claims.ts";
import { type ClientKeys, clientStorage } from "./clients.ts";
import type { IssuerDefinition, User } from "./definitions.ts";
import { dialects } from "./dialects/index.ts";
import type { TrustedIssuer } from "./exchange/subject.ts";
import { grantTypes } from "./grant-types.ts";
import type { Issuers } from "./issuers.ts";
import type { SigningKeys } from "./keys.ts";
import type { Lifetimes } from "./lifetimes.ts";
import { createProvider } from "./provider.ts";
import type { State } from "./state.ts";
import type { StepUp } from "./step-up.ts";
import { withReferences } from "./token-reference.ts";

/** What all issuers of a provider have in common. */
export interface IssuerSetting {
  readonly users: ReadonlyMap<string, User>;
  readonly state: State;
  readonly lifetimes: Lifetimes;
  readonly launchpadUrls: readonly string[];
  readonly keyOf: ClientKeys;
  readonly stepUp: StepUp;
  /** To look up those that an issuer trusts. */
  readonly others: Issuers;
}

export interface IssuerParts extends IssuerSetting {
  readonly name: string;
  readonly url: string;
  readonly definition: IssuerDefinition;
}

/** One issuer of the running provider. */
export interface Issuer {
  readonly name: string;
  readonly url: string;
  readonly keys: SigningKeys;
  /** Answers a request whose URL is relative to the issuer's. */
  handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void>;
  /** New keys from now on. @param keepOld whether what the old ones signed stays verifiable */
  rotateKeys(keepOld: boolean): Promise<void>;
  /** As seen by an issuer that trusts this one. */
  readonly trusted: TrustedIssuer;
}

export function createIssuer(parts: IssuerParts, keys: SigningKeys): Issuer {
  const { name, url, definition, state, others } = parts;
  const dialect = dialects[definition.dialect];
  const accounts = accountsOf(parts.users, dialect);
  const addedGrants = [...(dialect.exchange ? [grantTypes.tokenExchange] : []), grantTypes.jwtBearer];
  const storage = (model: string) => {
    const plain = state.adapter(name, model);
    if (model === "Client") return clientStorage(plain, definition.clients, { ...parts, addedGrants });
    return model === "AccessToken" ? withReferences(plain) : plain;
  };
  const trusted = asTrusted(parts, keys, accounts, storage);
  const trusts = definition.trusts.filter((other) => other !== name);
  const make = () =>
    createProvider({
      ...parts,
      keys,
      accounts,
      dialect,
      storage,
      secret: remembered(state, `cookie-secret:${name}`),
      trusted: async () => {
        const found = await Promise.all(trusts.map((other) => others.get(other)));
        return [trusted, ...found.flatMap((issuer) => issuer?.trusted ?? [])];
      },
      urlOf: others.urlOf,
    }).callback();

  let answer = make();
  return {
    name,
    url,
    keys,
    trusted,
    handle: (incoming, outgoing) => answer(incoming, outgoing),
    rotateKeys: async (keepOld) => {
      await keys.rotate(keepOld);
      answer = make();
    },
  };
}

function asTrusted(
  { name, url }: IssuerParts,
  keys: SigningKeys,
  accounts: Accounts,
  storage: (model: string) => Adapter,
): TrustedIssuer {
  const [ofUsers, ofClients] = [storage("AccessToken"), storage("ClientCredentials")];
  return {
    name,
    url,
    find: keys.find,
    signingKeys: keys.all,
    issued: async (id) => (await ofUsers.find(id)) ?? (await ofClients.find(id)) ?? undefined,
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
